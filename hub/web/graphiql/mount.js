/** Puts GraphiQL on the page with a storage that forgets everything when the page is closed. */

import { watchRoles } from "./roles.js";

/**
 * @typedef {import("./exchange.js").Exchanges} Exchanges
 * @typedef {import("./session.js").ReadyQuery} ReadyQuery
 */

const { React, ReactDOM, GraphiQL } = /** @type {any} */ (globalThis);

/** ID numbers stand in queries, and GraphiQL would keep queries in the browser's own storage. */
class ForgettingStorage {
  /** @type {Map<string, string>} */
  #kept = new Map();

  get length() {
    return this.#kept.size;
  }

  /** @param {string} key */
  getItem(key) {
    return this.#kept.get(key) ?? null;
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    this.#kept.set(key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.#kept.delete(key);
  }

  clear() {
    this.#kept.clear();
  }
}

const place = /** @type {HTMLElement} */ (document.querySelector("#graphiql"));
const root = ReactDOM.createRoot(place);
watchRoles(place);

/** @param {Exchanges} exchanges @param {ReadyQuery[]} queries */
export function mount(exchanges, queries) {
  root.render(
    React.createElement(GraphiQL, {
      key: performance.now(), // a new session begins with an empty desk
      fetcher: (/** @type {any} */ params) => exchanges.ask(params),
      storage: new ForgettingStorage(),
      defaultTabs: queries.length ? queries.map(tab) : undefined,
      variables: queries[0] && tab(queries[0]).variables, // GraphiQL 4.1 forgets the first tab's own
      defaultQuery: "",
      isHeadersEditorEnabled: false,
      showPersistHeadersSettings: false,
      defaultEditorToolsVisibility: "variables",
    }),
  );
}

/** @param {ReadyQuery} ready */
function tab({ query, variables }) {
  return { query, variables: JSON.stringify(variables, null, 2) };
}
