/** Gives GraphiQL's editors names, and its tabs roles that may hold buttons, for those who cannot see them. */

/** @param {HTMLElement} place */
function nameEditors(place) {
  for (const field of place.querySelectorAll("textarea:not([aria-label])")) {
    const said = field.closest("[aria-label]")?.getAttribute("aria-label");
    if (said) field.setAttribute("aria-label", said);
  }
}

/** A tab may hold nothing that can be pressed, but GraphiQL's hold two buttons: they become a plain list.
 * @param {HTMLElement} place */
function plainTabs(place) {
  place.querySelector(".graphiql-tabs[role]")?.removeAttribute("role");
  for (const tab of place.querySelectorAll(".graphiql-tab[aria-selected]")) {
    const current = tab.getAttribute("aria-selected") ?? "false";
    tab.removeAttribute("role");
    tab.removeAttribute("aria-selected");
    tab.querySelector(".graphiql-tab-button")?.setAttribute("aria-current", current);
  }
}

/** Watches the place, since GraphiQL makes editors and tabs as they are needed.
 * @param {HTMLElement} place */
export function watchRoles(place) {
  const mend = () => {
    nameEditors(place);
    plainTabs(place);
  };
  new MutationObserver(mend).observe(place, {
    childList: true,
    subtree: true,
    attributeFilter: ["aria-selected", "role"],
  });
}
