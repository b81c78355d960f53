/** Opens GraphiQL with a token and a purpose: the demo's, or those entered in the form; both stay in memory. */

import { askForm } from "./form.js";
import { Exchanges } from "./exchange.js";
import { mount } from "./mount.js";
import { showReceipt } from "./receipt.js";
import { demoSession } from "./session.js";

/** @typedef {import("./session.js").Session} Session */

const texts = JSON.parse(/** @type {HTMLElement} */ (document.querySelector("#texts")).textContent ?? "{}");
const notice = /** @type {HTMLElement} */ (document.querySelector("#notice"));
const desk = /** @type {HTMLElement} */ (document.querySelector("#desk"));
const lead = /** @type {HTMLElement} */ (document.querySelector("#lead"));
const change = /** @type {HTMLElement} */ (document.querySelector("#change"));

/** @param {Session} session @param {(() => Promise<Session | null>) | null} renew */
function open(session, renew) {
  for (const part of desk.querySelectorAll("[data-part]")) {
    const name = /** @type {keyof Session["purpose"]} */ (part.getAttribute("data-part"));
    part.textContent = session.purpose[name];
  }
  desk.hidden = lead.hidden = false;
  change.hidden = renew !== null;
  const exchanges = new Exchanges(session, renew, texts.unreachable, (exchange) => showReceipt(exchange, texts));
  showReceipt(null, texts);
  mount(exchanges, session.queries);
}

async function begin() {
  notice.textContent = texts.loading;
  const session = await demoSession();
  notice.textContent = "";
  if (session === "failed") notice.textContent = texts.no_session;
  else if (session) open(session, async () => onlySession(await demoSession()));
  else askForm((entered) => open(entered, null));
}

/** @param {Session | "failed" | null} answer @returns {Session | null} */
function onlySession(answer) {
  return answer === "failed" ? null : answer;
}

change.addEventListener("click", () => {
  desk.hidden = lead.hidden = true;
  askForm((entered) => open(entered, null));
});

begin().catch(() => {
  notice.textContent = texts.failed;
});
