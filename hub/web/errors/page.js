/** Narrows the list of errors to those that hold the words searched for; the list itself needs no script. */

const find = /** @type {HTMLElement} */ (document.querySelector("#find"));
const field = /** @type {HTMLInputElement} */ (document.querySelector("#words"));
const count = /** @type {HTMLElement} */ (document.querySelector("#count"));
const articles = [...document.querySelectorAll("article")];
const sections = [...document.querySelectorAll("section")];
const searched = new Map(articles.map((article) => [article, (article.textContent ?? "").toLowerCase()]));

/** @param {string} template @param {number} number */
function withCount(template, number) {
  return template.replace("{count}", new Intl.NumberFormat(document.documentElement.lang).format(number));
}

function narrow() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const article of articles) {
    article.hidden = !words.every((word) => searched.get(article)?.includes(word));
  }
  for (const section of sections) section.hidden = !section.querySelector("article:not([hidden])");
  tell(words.length > 0, articles.filter((article) => !article.hidden).length);
}

/** @param {boolean} searching @param {number} number */
function tell(searching, number) {
  const { found = "", all = "", empty = "" } = count.dataset;
  if (!searching) count.textContent = withCount(all, number);
  else count.textContent = number === 0 ? empty : withCount(found, number);
}

find.hidden = false;
field.addEventListener("input", narrow);
narrow();
