/** Who asks and for what: a token and a purpose, with the queries that stand ready. */

/**
 * @typedef {{agency: string, procedure: string, case: string, officer: string}} Purpose
 * @typedef {{query: string, variables: Record<string, unknown>}} ReadyQuery
 * @typedef {{token: string, purpose: Purpose, queries: ReadyQuery[]}} Session
 */

/**
 * The demo's session; null where the hub is not a demo.
 * @returns {Promise<Session | "failed" | null>}
 */
export async function demoSession() {
  if (!document.documentElement.hasAttribute("data-demo")) return null;
  try {
    const answer = await fetch("/demo/session", { cache: "no-store" });
    return answer.ok ? await answer.json() : "failed";
  } catch {
    return "failed";
  }
}

/**
 * The purpose as headers; values are percent-encoded UTF-8 because a header is ASCII.
 * @param {Purpose} purpose
 * @returns {Record<string, string>}
 */
export function purposeHeaders(purpose) {
  return {
    "Hub-Agency": encodeURIComponent(purpose.agency),
    "Hub-Procedure": encodeURIComponent(purpose.procedure),
    "Hub-Case": encodeURIComponent(purpose.case),
    "Hub-Officer": encodeURIComponent(purpose.officer),
  };
}
