// The bar at the top: where one is, whether it is live, who one is.
import { html, useState } from "./html.js";
import { Icon } from "./icons.js";

const links = [["", "Services"], ["events", "Events"], ["history", "History"], ["config", "Configuration"]];
const states = { live: ["good", "Live"], waiting: ["warn", "Reconnecting"], refused: ["bad", "Not connected"] };

/** The header of every page. */
export function Header({ who, page, link, config, login, logout }) {
  const [tone, text] = states[link];
  return html`<header class="top">
    <a class="brand" href="#/" aria-label="Haldane, all services"><${Bird} />Haldane</a>
    <nav aria-label="Pages">${links.map(([path, name]) => html`
      <a href=${`#/${path}`} aria-current=${page === path || (page === "service" && path === "") ? "page" : undefined}>${name}
        ${path === "config" && config && !config.ok && html`<span class="alert" role="img" aria-label="the last reload failed">!</span>`}</a>`)}
    </nav>
    <span class=${`link ${tone}`} role="status"><i></i>${text}</span>
    <${Theme} />
    ${who.login && html`<${Visitor} who=${who} login=${login} logout=${logout} />`}
  </header>`;
}

const Bird = () => html`<svg viewBox="0 0 32 32" class="bird" aria-hidden="true"><path d="M4 21c0-8 5-13 13-13 4 0 6 1 8 4l5 1-4 3c0 8-5 12-12 12-7 0-10-3-10-7z" /><circle cx="21" cy="13" r="1.6" /></svg>`;

function Visitor({ who, login, logout }) {
  if (who.role === "none") return html`<button class="quiet" onClick=${login}><${Icon} name="user" />Log in</button>`;
  return html`<span class="who"><${Icon} name=${who.changes ? "user" : "lock"} />${who.changes ? "Operator" : "Read-only"}</span>
    <button class="quiet" onClick=${logout}>Log out</button>`;
}

/** Turns between light and dark; the system's theme counts until somebody chooses. */
function Theme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? system);
  const other = theme === "dark" ? "light" : "dark";
  function turn() {
    document.documentElement.dataset.theme = other;
    try { localStorage.setItem("haldane.theme", other); } catch { /* for this page then */ }
    setTheme(other);
    dispatchEvent(new Event("themechange"));
  }
  return html`<button class="quiet square" aria-label=${`Use the ${other} theme`} onClick=${turn}><${Icon} name=${theme === "dark" ? "sun" : "moon"} /></button>`;
}
