// The frame of all pages: who looks, which page it is, and the stream behind it.
import { logout, session } from "./api.js";
import { Configuration } from "./configuration.js";
import { Events } from "./events.js";
import { newFleet } from "./fleet.js";
import { Header } from "./header.js";
import { History } from "./history.js";
import { html, render, useEffect, useErrorBoundary, useMemo, useState } from "./html.js";
import { Login } from "./login.js";
import { Overview } from "./overview.js";
import { Release } from "./page.js";
import { nothing, take } from "./release.js";
import { follow } from "./stream.js";

const pages = { "": Overview, events: Events, history: History, config: Configuration };

/** The page that an address means: "#/events", "#/service/shop". */
function route(hash) {
  const [page = "", name = ""] = hash.replace(/^#\/?/, "").split("/");
  return { page: page in pages || page === "service" ? page : "", service: page === "service" ? decodeURIComponent(name) : "" };
}

function useRoute() {
  const [at, set] = useState(() => route(location.hash));
  useEffect(() => {
    const turn = () => {
      set(route(location.hash));
      scrollTo(0, 0);
      document.getElementById("main")?.focus({ preventScroll: true });
    };
    addEventListener("hashchange", turn);
    return () => removeEventListener("hashchange", turn);
  }, []);
  return at;
}

// What is known of another service is nothing about this one.
const taken = (name, before, kind, data) => ({ ...take(before.name === name ? before : nothing, kind, data), name });

function App() {
  const at = useRoute();
  const [who, setWho] = useState(null), [asking, setAsking] = useState(false), [link, setLink] = useState("waiting"), [config, setConfig] = useState(null);
  const [release, setRelease] = useState(nothing), [version, setVersion] = useState(""), [listeners] = useState(() => new Set());
  const fleet = useMemo(newFleet, []);
  const ask = () => session().then(setWho, () => setTimeout(ask, 2000));
  useEffect(() => { ask(); }, []);
  const reads = Boolean(who?.reads);

  useEffect(() => {
    if (!reads) return undefined;
    setRelease(nothing);
    setLink("waiting");
    return follow(at.service, {
      status(text) {
        setLink(text);
        if (text === "refused") ask();
      },
      on(kind, data) {
        if (kind === "state") {
          setConfig(data.config);
          setVersion((first) => first || data.version);
        }
        if (kind === "config") setConfig(data);
        if (kind === "event") listeners.forEach((f) => f(data));
        if (at.service) setRelease((before) => taken(at.service, before, kind, data));
        else fleet.take(kind, data);
      },
    });
  }, [at.service, reads]);

  if (!who) return html`<main><p class="hint" role="status">Loading…</p></main>`;
  const Page = at.page === "service" ? Release : pages[at.page];
  const common = { who, login: () => setAsking(true), config };
  return html`
    <a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById("main").focus(); }}>Skip to the content</a>
    <${Header} ...${common} page=${at.page} link=${reads ? link : "refused"} version=${version}
      logout=${async () => { await logout(); await ask(); }} />
    <main id="main" tabindex="-1">
      ${reads
        ? html`<${Page} key=${at.page + at.service} ...${common} fleet=${fleet} name=${at.service} release=${release.name === at.service ? release : nothing} link=${link}
            took=${(view) => setRelease((before) => taken(at.service, before, "view", view))}
            heard=${(f) => { listeners.add(f); return () => listeners.delete(f); }} />`
        : html`<section class="empty"><h1>Log in to see releases</h1><p>This address shows them to those who have a token.</p>
            <button class="primary" onClick=${() => setAsking(true)}>Log in</button></section>`}
    </main>
    ${asking && html`<${Login} close=${() => setAsking(false)} done=${ask} />`}`;
}

/** Whatever goes wrong while a page is drawn is said, and never leaves an old picture that looks alive. */
function Guarded() {
  const [error] = useErrorBoundary((e) => console.error(e));
  return error ? html`<p class="failure" role="alert">This page is broken, Haldane is not: ${error.message}. <a href=".">Load it again</a>; <code>haldane status</code> shows the same.</p>` : html`<${App} />`;
}

render(html`<${Guarded} />`, document.getElementById("app"));
