// Requests to the API. Every failure is a Problem, whose message is for people.

const keyName = "haldane.key", nameName = "haldane.name";

/** What went wrong, as the server says it (RFC 9457) or as we know it ourselves. */
export class Problem extends Error {
  /** @param {{status?: number, type?: string, detail?: string, title?: string, possible?: string[]}} body */
  constructor(body) {
    super(body.detail || body.title || "Something went wrong");
    this.status = body.status ?? 0;
    this.type = body.type ?? "";
    this.possible = body.possible;
  }
}

const stored = {
  get(name) { try { return localStorage.getItem(name) ?? ""; } catch { return ""; } },
  set(name, value) { try { value ? localStorage.setItem(name, value) : localStorage.removeItem(name); } catch { /* kept for nobody */ } },
};

/** Whom the audit names. */
export const operatorName = () => stored.get(nameName);

async function request(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: method === "GET" ? {} : { "Content-Type": "application/json", "Haldane-Session": stored.get(keyName) },
      body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
    });
  } catch {
    throw new Problem({ detail: "Haldane does not answer. What you see may be old; nothing was changed." });
  }
  const text = await response.text();
  let answer = {};
  try { answer = JSON.parse(text); } catch { answer = { detail: text.trim() }; }
  if (!response.ok) throw new Problem({ ...answer, status: response.status });
  return answer;
}

/** Reads a path. */
export const get = (path) => request("GET", path);

/** Sends an order; who and why go with it. */
export function order(path, body) {
  const name = operatorName();
  return request("POST", path, { actor: name ? `dashboard (${name})` : "dashboard", ...body });
}

/** Sends an order that takes no signature. */
export const post = (path, body) => request("POST", path, body);

/** What the visitor may do. Without the key of its session, a browser may only read. */
export async function session() {
  const answer = await get("/ui/session");
  const changes = answer.changes && (answer.role === "socket" || stored.get(keyName) !== "");
  return { ...answer, changes };
}

/** Begins a session with a token. */
export async function login(token, name) {
  const answer = await post("/ui/login", { token });
  stored.set(keyName, answer.key);
  stored.set(nameName, name);
}

/** Ends the session. */
export async function logout() {
  stored.set(keyName, "");
  await post("/ui/logout");
}
