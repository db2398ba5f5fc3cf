/*
 * How the page looks. Colour never stands alone: each verdict has a shape and a word,
 * each version its place in the stack, and the clear its hatching. The palettes were
 * chosen for all common kinds of colour blindness; text has a contrast of at least
 * 4.5:1 on what it stands on, in light and in dark. Paper is always light.
 */
#include "tools/base/put.h"
#include "tools/report/render/render_html.h"

static const char palette[] =
	":root{color-scheme:light dark;"
	"--page:#fdfdfc;--text:#1c1f23;--dim:#5a6068;--rule:#dcdfe3;--soft:#f3f4f5;"
	"--link:#0b5394;"
	"--plaintext:#8f1150;--plaintext-soft:#fbe6f0;"
	"--below:#a8320b;--below-soft:#fdebe3;"
	"--refused:#4a3f9e;--refused-soft:#ecebf9;"
	"--risk:#7a5200;--risk-soft:#fdf2d8;"
	"--failed:#4d545c;--failed-soft:#eceef0;"
	"--ok:#0b6460;--ok-soft:#e3f3f1;"
	"--t13:#1f5f8b;--t12:#7fb8dc;--t11:#e8b13a;--t10:#d9601a;--s30:#7f2704;"
	"--clear:#a3195b;--unseen:#9aa1a9}\n"
	"@media screen and (prefers-color-scheme:dark){:root{"
	"--page:#16181b;--text:#e6e8ea;--dim:#a3aab2;--rule:#363c42;--soft:#22262a;"
	"--link:#8cc1ff;"
	"--plaintext:#ff9fcb;--plaintext-soft:#46162f;"
	"--below:#ffa483;--below-soft:#45200f;"
	"--refused:#b9b3ff;--refused-soft:#28244d;"
	"--risk:#f3c968;--risk-soft:#3b2d08;"
	"--failed:#c0c6cc;--failed-soft:#2b2f34;"
	"--ok:#6fd3c7;--ok-soft:#0c322f;"
	"--t13:#3c86bd;--t12:#a5d2ee;--t11:#edc15c;--t10:#e8783a;--s30:#b8512a;"
	"--clear:#e0629f;--unseen:#7d858d}}\n"
	".v-plaintext{--ink:var(--plaintext);--tint:var(--plaintext-soft)}\n"
	".v-below-floor{--ink:var(--below);--tint:var(--below-soft)}\n"
	".v-refused{--ink:var(--refused);--tint:var(--refused-soft)}\n"
	".v-at-risk{--ink:var(--risk);--tint:var(--risk-soft)}\n"
	".v-failed,.v-other{--ink:var(--failed);--tint:var(--failed-soft)}\n"
	".v-no-mail{--ink:var(--dim);--tint:var(--soft)}\n"
	".v-ok{--ink:var(--ok);--tint:var(--ok-soft)}\n";

static const char text_style[] =
	"*{box-sizing:border-box}\n"
	"html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\n"
	"body{margin:0 auto;max-width:72rem;padding:2.5rem clamp(1rem,4vw,3rem) 4rem;"
	"background:var(--page);color:var(--text);"
	"font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",\"Noto Sans\",\"Liberation Sans\","
	"sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\n"
	"h1,h2,h3,p,ul,ol,dl,dd{margin:0}\n"
	"h1{font-size:1.75rem;line-height:1.2;font-weight:650;letter-spacing:-.01em}\n"
	"h2{font-size:1.25rem;line-height:1.3;font-weight:650;margin:0 0 .25rem}\n"
	"h3{font-size:1rem;font-weight:600}\n"
	"header p{margin-top:.4rem}\n"
	"section{margin-top:3rem}\n"
	"section>p.dim{max-width:48rem;margin-bottom:1rem}\n"
	"#method p{max-width:48rem;margin-top:.5rem}\n"
	"a{color:var(--link);text-underline-offset:.15em}\n"
	"code,.path,.sum{font-family:ui-monospace,\"SF Mono\",Menlo,Consolas,"
	"\"DejaVu Sans Mono\",monospace;font-size:.875em}\n"
	/* Names of machines and files run from left to right, whatever their letters do. */
	"bdi{direction:ltr;unicode-bidi:isolate}\n"
	".dim{color:var(--dim)}\n"
	".time,.keep{white-space:nowrap}\n"
	".line{font-weight:600}\n"
	".mark{width:.95em;height:.95em;flex:none;vertical-align:-.1em;margin-right:.35em;"
	"fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;"
	"stroke-linejoin:round}\n"
	".verdict{color:var(--ink);white-space:nowrap;font-weight:600}\n"
	".hidden,.rows caption,.matrix caption{position:absolute;width:1px;height:1px;"
	"overflow:hidden;clip-path:inset(50%);white-space:nowrap}\n"
	".shapes{position:absolute;width:0;height:0}\n"
	".more{margin-top:.6rem;color:var(--dim)}\n"
	"nav{margin-top:2rem;border-block:1px solid var(--rule);padding:.6rem 0}\n"
	"nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem}\n"
	"nav a{text-decoration:none}\n"
	"nav a:hover,nav a:focus{text-decoration:underline}\n";

static const char summary_style[] =
	".conclusion{margin-top:1.75rem;padding:1.1rem 1.35rem;border-left:.3rem solid "
	"var(--ink);background:var(--tint);border-radius:0 .3rem .3rem 0}\n"
	".conclusion p+p{margin-top:.3rem}\n"
	".lead{font-size:1.25rem;font-weight:650;line-height:1.35;color:var(--ink);"
	"display:flex;align-items:baseline}\n"
	".lead .mark{position:relative;top:.1em}\n"
	".figures{list-style:none;padding:0;margin-top:1.5rem;display:grid;"
	"grid-template-columns:repeat(auto-fill,minmax(min(100%,12.5rem),1fr));"
	"gap:1.5rem 1.75rem}\n"
	".figures li{border-top:.2rem solid var(--ink);padding-top:.55rem;display:grid;"
	"grid-template-columns:auto 1fr;align-items:baseline;align-content:start;"
	"column-gap:.6rem}\n"
	".figures .name{grid-column:1/-1;color:var(--ink);font-weight:600}\n"
	".figures strong{font-size:2.1rem;line-height:1.25;font-weight:650;"
	"letter-spacing:-.02em}\n"
	".figures .share{color:var(--dim)}\n"
	".figures .meaning{grid-column:1/-1;color:var(--dim);font-size:.875rem;"
	"line-height:1.4}\n";

static const char chart_style[] =
	".legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;"
	"margin:.75rem 0}\n"
	".legend li{white-space:nowrap}\n"
	".swatch{width:.8em;height:.8em;margin-right:.45em;vertical-align:-.05em}\n"
	".chart{display:grid;grid-template-columns:3rem 1fr;gap:.35rem .5rem}\n"
	".chart>svg{width:100%;height:15rem;display:block;overflow:hidden;"
	"border-bottom:1px solid var(--dim)}\n"
	".chart line{stroke:var(--rule);stroke-width:1}\n"
	".chart g:hover{opacity:.75}\n"
	".scale{position:relative;height:15rem}\n"
	".scale span{position:absolute;right:0;transform:translateY(50%);font-size:.8rem;"
	"color:var(--dim);line-height:1}\n"
	".axis{grid-column:2;display:flex;justify-content:space-between;gap:.5rem;"
	"font-size:.8rem;color:var(--dim)}\n"
	".axis span:last-child:not(:first-child){text-align:right}\n"
	".t-1\\.3{fill:var(--t13)}.t-1\\.2{fill:var(--t12)}.t-1\\.1{fill:var(--t11)}"
	".t-1\\.0{fill:var(--t10)}.t-ssl3\\.0{fill:var(--s30)}.t-unknown{fill:var(--unseen)}"
	".t-clear{fill:url(#hatch)}\n"
	"#hatch rect{fill:var(--clear)}\n"
	"#hatch path{stroke:var(--page);stroke-width:1}\n"
	"details{margin-top:1rem}\n"
	"summary{cursor:pointer;color:var(--link)}\n"
	"details+.numbers{margin-top:.5rem}\n"
	/* What was closed on the screen can't be opened on paper: there it is always shown. */
	"@media screen{details:not([open])+.numbers{display:none}}\n";

static const char table_style[] =
	"table{border-collapse:collapse;width:100%}\n"
	".rows{font-size:.9375rem}\n"
	".rows+.rows,.more+.rows{margin-top:1.75rem}\n"
	"#gaps .rows caption{position:static;width:auto;height:auto;clip-path:none;"
	"text-align:left;font-weight:600;padding-bottom:.25rem}\n"
	"#gaps p+p,#gaps table+p{margin-top:.6rem}\n"
	".rows th,.rows td{text-align:left;vertical-align:baseline;padding:.4rem .75rem .4rem 0;"
	"border-bottom:1px solid var(--rule);font-weight:400}\n"
	".rows th:last-child,.rows td:last-child{padding-right:0}\n"
	".rows thead th{color:var(--dim);font-size:.8125rem;font-weight:600;"
	"vertical-align:bottom;overflow-wrap:normal}\n"
	".rows .number{text-align:right;overflow-wrap:normal}\n"
	".scroll{overflow-x:auto}\n"
	".rows .name{min-width:7.5rem}\n"
	".rows .short{width:1%}\n"
	".sum{display:block;max-width:33ch;line-height:1.4}\n"
	".matrix{width:auto;font-size:.875rem;border-spacing:2px;border-collapse:separate}\n"
	".matrix thead th{vertical-align:bottom;font-weight:400;padding:0 0 .35rem;"
	"color:var(--dim)}\n"
	".matrix thead th span{writing-mode:vertical-rl;transform:rotate(180deg);"
	"max-height:15rem;overflow:hidden;white-space:nowrap;display:inline-block;"
	"line-height:1.2}\n"
	".matrix thead th.corner{text-align:left;font-weight:600;font-size:.8125rem}\n"
	".matrix tbody th{text-align:left;font-weight:400;padding:.25rem .8rem .25rem 0;"
	"min-width:11rem;max-width:22rem;line-height:1.35}\n"
	".matrix td{width:3.6rem;background:var(--tint,transparent);"
	"color:var(--ink);"
	"text-align:right;padding:.25rem .35rem;font-weight:600;border-radius:.15rem}\n"
	".matrix td.none{background:var(--soft)}\n"
	".cell{display:flex;justify-content:space-between;align-items:center;"
	"white-space:nowrap}\n";

static const char list_style[] =
	".places{padding:0;list-style:none;counter-reset:place}\n"
	".places>li{counter-increment:place;position:relative;padding:1rem 0 1.1rem 2.4rem;"
	"border-top:1px solid var(--rule)}\n"
	".places>li::before{content:counter(place);position:absolute;left:0;top:1rem;"
	"min-width:1.6rem;padding:0 .3rem;text-align:center;font-size:.875rem;line-height:1.6;"
	"font-weight:600;color:var(--ink);background:var(--tint);border-radius:.2rem}\n"
	".places .verdict{display:inline-block;margin-right:1rem;font-size:.9375rem}\n"
	".places .advice{max-width:50rem;margin:.35rem 0 .5rem}\n"
	"dl{display:grid;grid-template-columns:minmax(5.5rem,auto) 1fr;gap:.15rem 1rem;"
	"font-size:.9375rem}\n"
	"dt{color:var(--dim)}\n"
	"dd{min-width:0}\n"
	".facts{margin-top:.75rem;gap:.35rem 1.25rem}\n"
	".facts+.rows{margin-top:1.5rem}\n";

/* Where there is no room for columns, a row becomes a card and each cell names itself. */
static const char narrow_style[] =
	"@media screen and (max-width:46rem){\n"
	"body{padding-top:1.5rem}\n"
	"h1{font-size:1.5rem}\n"
	"section{margin-top:2.25rem}\n"
	".rows,.matrix,.rows tbody,.matrix tbody,.rows tr,.matrix tr{display:block;width:100%}\n"
	".rows thead,.matrix thead{position:absolute;width:1px;height:1px;overflow:hidden;"
	"clip-path:inset(50%)}\n"
	".rows tr,.matrix tr{padding:.55rem 0;border-bottom:1px solid var(--rule)}\n"
	".rows tbody th,.rows td,.matrix tbody th,.matrix td{border:0;padding:.1rem 0;"
	"min-width:0;width:auto;max-width:none}\n"
	".rows .name,.rows .short{width:auto;min-width:0}\n"
	".rows tbody th,.matrix tbody th{display:block;font-weight:600}\n"
	".rows td,.rows .number,.matrix td{display:grid;"
	"grid-template-columns:minmax(6.5rem,38%) 1fr;gap:.75rem;text-align:left}\n"
	".rows tbody th.number{display:block}\n"
	".rows td::before,.matrix td::before{content:attr(data-label);color:var(--dim);"
	"font-weight:400;min-width:0}\n"
	".matrix td{background:none;grid-template-columns:1fr auto;align-items:start;"
	"margin-bottom:.15rem}\n"
	".matrix td.none{display:none}\n"
	".matrix .cell{justify-content:start;background:var(--tint);padding:0 .4rem;"
	"border-radius:.15rem;justify-self:start}\n"
	".chart{grid-template-columns:2.4rem 1fr}\n"
	".verdict{white-space:normal}\n"
	"dl{grid-template-columns:1fr}\n"
	"dd{margin-bottom:.25rem}\n"
	"dt{font-size:.8125rem}\n"
	".places>li{padding-left:0}\n"
	".places>li::before{position:static;display:inline-block;margin-bottom:.25rem}\n"
	"}\n";

static const char paper_style[] =
	"@media print{\n"
	"body{max-width:none;padding:0;font-size:9.5pt}\n"
	"nav,details{display:none}\n"
	".scroll{overflow:visible}\n"
	".rows .name,.matrix tbody th{min-width:0}\n"
	".rows th,.rows td{padding-right:.4rem}\n"
	".rows thead th,.verdict{white-space:normal;overflow-wrap:anywhere}\n"
	"a{color:inherit;text-decoration:none}\n"
	"section{margin-top:1.6rem}\n"
	"h1{font-size:17pt}\n"
	"h2{font-size:12.5pt;break-after:avoid}\n"
	".lead{font-size:12.5pt}\n"
	"h3{font-size:9.5pt}\n"
	".rows,.matrix,dl,.places .verdict{font-size:8.5pt}\n"
	".figures .meaning,.rows thead th,.matrix thead th,.scale span,.axis{font-size:8pt}\n"
	".figures strong{font-size:16pt}\n"
	"h2+p,.legend,caption{break-after:avoid}\n"
	"tr,.figures li,.places>li,.conclusion,.chart{break-inside:avoid}\n"
	"thead{display:table-header-group}\n"
	".figures{grid-template-columns:repeat(4,1fr);gap:.8rem 1rem}\n"
	".places>li{padding:.5rem 0 .6rem 2.4rem}\n"
	".places>li::before{top:.5rem}\n"
	".chart>svg,.scale{height:11rem}\n"
	".conclusion,.chart,.matrix,.swatch,.places>li::before{print-color-adjust:exact;"
	"-webkit-print-color-adjust:exact}\n"
	"}\n";

/* At the foot of each sheet, so that one that is alone still says what it is part of. */
static void write_sheets(FILE *out, const struct report *report)
{
	char time[TIMESTAMP_TEXT_MAX];

	put_text(out, "@page{margin:15mm 15mm 18mm;@bottom-left{content:\"TLS of outgoing mail");
	if (report->total.connections > 0) {
		timestamp_print(time, report->total.first, TIMESTAMP_MINUTE);
		put_format(out, ", %s", time);
		timestamp_print(time, report->total.last, TIMESTAMP_MINUTE);
		put_format(out, " to %s UTC", time);
	}
	timestamp_print(time, report->generated, TIMESTAMP_RFC3339);
	put_format(out,
		   "; made %s\";font:8pt sans-serif}"
		   "@bottom-right{content:counter(page) \" of \" counter(pages);"
		   "font:8pt sans-serif}}\n",
		   time);
}

void html_write_style(FILE *out, const struct report *report)
{
	put_text(out, palette);
	put_text(out, text_style);
	put_text(out, summary_style);
	put_text(out, chart_style);
	put_text(out, table_style);
	put_text(out, list_style);
	put_text(out, narrow_style);
	write_sheets(out, report);
	put_text(out, paper_style);
}

/* One shape for each verdict, told apart without colour and in black and white. */
static const struct {
	enum entry_verdict verdict;
	const char *drawing;
} shapes[] = {
	/* an open lock, an arrow down to a line, a no-entry sign, a warning triangle */
	{VERDICT_PLAINTEXT, "<path d=\"M3 8h10v6H3zM5 8V5a3 3 0 0 1 5.8-1\"/>"},
	{VERDICT_BELOW_FLOOR, "<path d=\"M8 2v8M4.5 7 8 10.5 11.5 7M2.5 14h11\"/>"},
	{VERDICT_REFUSED, "<circle cx=\"8\" cy=\"8\" r=\"6\"/><path d=\"M5 8h6\"/>"},
	{VERDICT_AT_RISK, "<path d=\"M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1\"/>"},
	/* a cross, a ring, a dash, a tick */
	{VERDICT_FAILED, "<path d=\"m3.5 3.5 9 9m0-9-9 9\"/>"},
	{VERDICT_OTHER, "<circle cx=\"8\" cy=\"8\" r=\"5\"/>"},
	{VERDICT_NO_MAIL, "<path d=\"M3 8h10\"/>"},
	{VERDICT_OK, "<path d=\"m2.5 8.5 3.7 3.7L13.5 4\"/>"},
};

void html_write_shapes(FILE *out)
{
	put_text(out, "<svg class=\"shapes\" aria-hidden=\"true\"><defs>\n");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		put_format(out, "<symbol id=\"mark-%s\" viewBox=\"0 0 16 16\">%s</symbol>\n",
			   entry_verdict_name(shapes[i].verdict), shapes[i].drawing);
	/* Level lines: the chart is stretched sideways, which they don't show. */
	put_text(out, "<pattern id=\"hatch\" width=\"4\" height=\"3\" "
		      "patternUnits=\"userSpaceOnUse\"><rect width=\"4\" height=\"3\"/>"
		      "<path d=\"M0 2.5h4\"/></pattern>\n</defs></svg>\n");
}
