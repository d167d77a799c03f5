// Login and logout.
import { login } from "./api.js";
import { Dialog, Field } from "./dialog.js";
import { html, useState } from "./html.js";

/** Asks for the token. */
export function Login({ close, done }) {
  const [token, setToken] = useState(""), [name, setName] = useState("");
  return html`<${Dialog} title="Log in" action="Log in" ready=${token.trim().length > 0} close=${close}
    submit=${async () => { await login(token.trim(), name.trim()); await done(); }}>
    ${() => html`
      <p>The token is in <code>admin.token</code> in the state directory. The read token shows everything and changes nothing.</p>
      <${Field} label="Token"><input type="password" autocomplete="current-password" required value=${token}
        onInput=${(e) => setToken(e.target.value)} autofocus /><//>
      <${Field} label="Your name (optional)" hint="It stands beside your orders in history and audit.">
        <input type="text" autocomplete="name" maxlength="60" value=${name} onInput=${(e) => setName(e.target.value)} /><//>`}
  <//>`;
}
