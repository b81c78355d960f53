/** Keeps the table of agencies fresh by fetching this page again; without it the page shows the state at loading. */

const EVERY_MILLISECONDS = 10_000;

/** @param {Document} fresh */
function replaceState(fresh) {
  const now = document.querySelector("#state");
  const next = fresh.querySelector("#state");
  if (!now || !next || now.innerHTML === next.innerHTML || now.contains(document.activeElement)) return;
  now.replaceChildren(...next.childNodes);
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) replaceState(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The hub is away: what is shown stays, and the next round tries again.
  }
}

setInterval(refresh, EVERY_MILLISECONDS);
