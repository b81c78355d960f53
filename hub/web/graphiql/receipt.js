/** Shows that an answer is sealed, and lets the exchange be saved for a check without the hub. */

/** @typedef {import("./exchange.js").Exchange} Exchange */

const state = /** @type {HTMLElement} */ (document.querySelector("#receipt-state"));
const verify = /** @type {HTMLElement} */ (document.querySelector("#receipt-verify"));
const saves = /** @type {HTMLElement} */ (document.querySelector("#receipt-saves"));
const save = /** @type {HTMLButtonElement} */ (document.querySelector("#save"));

/** @param {Exchange | null} exchange @param {Record<string, string>} texts */
export function showReceipt(exchange, texts) {
  const sealed = Boolean(exchange?.response.extensions?.receipt);
  state.classList.toggle("sealed", sealed);
  state.textContent = (sealed ? texts.receipt_sealed : exchange ? texts.receipt_missing : texts.receipt_none) ?? "";
  verify.hidden = saves.hidden = !sealed;
  save.onclick = () => exchange && download(exchange);
}

/** @param {Exchange} exchange */
function download(exchange) {
  const file = new Blob([JSON.stringify(exchange, null, 2)], { type: "application/json" });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "exchange.json" });
  link.click();
  URL.revokeObjectURL(link.href);
}
