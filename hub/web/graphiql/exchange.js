/** Sends questions to the hub and keeps the last question with its answer, so that its receipt can be checked. */

import { purposeHeaders } from "./session.js";

/**
 * @typedef {import("./session.js").Session} Session
 * @typedef {{query: string, operationName?: string | null, variables?: unknown}} Params
 * @typedef {{request: object, response: Record<string, any>}} Exchange
 */

const UNAUTHORIZED = 401;

export class Exchanges {
  /**
   * @param {Session} session
   * @param {(() => Promise<Session | null>) | null} renew
   * @param {string} unreachable what is said when the hub cannot be reached
   * @param {(exchange: Exchange) => void} seen
   */
  constructor(session, renew, unreachable, seen) {
    this.session = session;
    this.renew = renew;
    this.unreachable = unreachable;
    this.seen = seen;
  }

  /** @param {Params} params @returns {Promise<object>} */
  async ask(params) {
    const request = withoutAbsent(params);
    const response = await this.#answer(request);
    if (params.operationName !== "IntrospectionQuery") this.seen({ request, response });
    return response;
  }

  /** @param {object} request @returns {Promise<Record<string, any>>} */
  async #answer(request) {
    try {
      const first = await this.#post(request);
      if (first.status !== UNAUTHORIZED || !this.renew) return await first.json();
      this.session = (await this.renew()) ?? this.session;
      return await (await this.#post(request)).json();
    } catch {
      return { errors: [{ message: this.unreachable }] };
    }
  }

  /** @param {object} request */
  #post(request) {
    return fetch("/graphql", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/graphql-response+json, application/json",
        "Accept-Language": document.documentElement.lang,
        Authorization: `Bearer ${this.session.token}`,
        ...purposeHeaders(this.session.purpose),
      },
      body: JSON.stringify(request),
    });
  }
}

/** @param {Params} params @returns {object} */
function withoutAbsent({ query, operationName, variables }) {
  return { query, ...(operationName ? { operationName } : {}), ...(variables ? { variables } : {}) };
}
