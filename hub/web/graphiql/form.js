/** The form in which token and purpose are entered; each field is checked when it is left, in words, beside it. */

/** @typedef {import("./session.js").Session} Session */

const form = /** @type {HTMLFormElement} */ (document.querySelector("#session"));

/** @param {HTMLInputElement} field */
function check(field) {
  const mistake = /** @type {HTMLElement} */ (document.querySelector(`#${field.id}-mistake`));
  const missing = field.value.trim() === "";
  mistake.textContent = missing ? (mistake.dataset.said ?? "") : "";
  if (missing) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  return !missing;
}

function fields() {
  return [...form.querySelectorAll("input")];
}

/** @returns {Session} */
function entered() {
  const { token = "", agency = "", procedure = "", case: reference = "", officer = "" } = Object.fromEntries(
    fields().map((field) => [field.name, field.value.trim()]),
  );
  return { token, purpose: { agency, procedure, case: reference, officer }, queries: [] };
}

/** @param {(session: Session) => void} done */
export function askForm(done) {
  form.hidden = false;
  fields()[0]?.focus();
  form.onsubmit = (event) => {
    event.preventDefault();
    const wrong = fields().filter((field) => !check(field));
    if (wrong[0]) return wrong[0].focus();
    form.hidden = true;
    done(entered());
  };
}

for (const field of fields()) field.addEventListener("blur", () => check(field));
