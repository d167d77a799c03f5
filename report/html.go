package report

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// style is all that the page loads.
const style = `:root{--ink:#1b1f24;--dim:#5b6570;--line:#d5dae0;--paper:#fff;--good:#1a7f37;--bad:#cf222e;--still:#9a6700;--tint:#f3f5f8}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--dim:#9aa5b1;--line:#3a424c;--paper:#14171b;--good:#4ac26b;--bad:#ff7b72;--still:#d4a72c;--tint:#1d2228}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.rule{font-size:1.1rem;border-left:4px solid var(--still);padding:.25rem .75rem;margin:1rem 0}
.promoted{border-color:var(--good)}.rolled_back,.aborted{border-color:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{color:var(--dim);font-weight:600;white-space:nowrap}svg{width:100%;height:auto;background:var(--tint)}
.weight{fill:none;stroke:var(--good);stroke-width:2}.area{fill:var(--good);opacity:.15}.hold{fill:var(--still);opacity:.3}.pause{fill:var(--dim);opacity:.3}
pre{background:var(--tint);padding:.5rem .75rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}h3{font-size:1rem;margin:1rem 0 0}
.axis{stroke:var(--line)}.mark{stroke:var(--dim);stroke-dasharray:2 3}svg text{fill:var(--dim);font-size:11px}
`

// pagePolicy lets the page use its own style and nothing else: no script, no picture, no connection.
func pagePolicy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// ContentSecurityPolicy is the field of that name that the page is to be sent with (W3C Content Security Policy Level 3).
func ContentSecurityPolicy() string { return pagePolicy() + "; frame-ancestors 'none'" }

// HTML is the report as one page that needs nothing else.
func (r *Report) HTML() []byte {
	p := &page{}
	p.raw("<!doctype html>\n").open("html", "lang", "en").open("head")
	p.raw(`<meta charset="utf-8">`).open("meta", "http-equiv", "Content-Security-Policy", "content", pagePolicy())
	p.open("meta", "name", "viewport", "content", "width=device-width")
	title := r.Service + ": " + r.Sentence()
	p.open("title").text(title).shut("title").open("style").raw(style).shut("style").shut("head").raw("\n").open("body")
	p.open("h1").text(title).shut("h1").open("p", "class", "rule "+string(r.Result)).text(r.Rule).shut("p")
	p.open("dl")
	for _, fact := range r.facts() {
		p.open("dt").text(fact[0]).shut("dt").open("dd").text(fact[1]).shut("dd")
	}
	p.shut("dl")
	if r.Verdict != "" {
		p.open("p").text("The judge's last word: " + r.Verdict).shut("p")
	}
	r.draw(p)
	for _, t := range r.tables() {
		p.table(&t)
	}
	r.pageFailures(p)
	p.shut("body").shut("html").raw("\n")
	return []byte(p.String())
}

// page writes HTML. All that is not ours goes through text or open, which escape it.
type page struct{ strings.Builder }

// raw writes what is ours as it is.
func (p *page) raw(markup string) *page {
	_, _ = p.WriteString(markup) // never fails
	return p
}

// text writes text.
func (p *page) text(text string) *page { return p.raw(escaped(text)) }

// open begins an element with attributes, which come as names and values.
func (p *page) open(name string, attributes ...string) *page {
	p.raw("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		p.raw(" " + attributes[i] + `="` + escaped(attributes[i+1]) + `"`)
	}
	return p.raw(">")
}

// shut ends an element.
func (p *page) shut(name string) *page { return p.raw("</" + name + ">") }

// escaped is text for the inside of elements and of quoted attributes (WHATWG HTML, 13.3 escaping a string).
func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(plain(text))
}

// table writes a table with its heading.
func (p *page) table(t *table) {
	p.raw("\n").open("h2").text(t.title).shut("h2").open("div", "class", "wide").open("table").open("tr")
	for _, column := range t.columns {
		p.open("th").text(column).shut("th")
	}
	p.shut("tr")
	for _, row := range t.rows {
		p.raw("\n").open("tr")
		for _, cell := range row {
			p.open("td").text(cell).shut("td")
		}
		p.shut("tr")
	}
	p.shut("table").shut("div")
}
