// Usage: node check-page.mjs light-WIDTH|dark-WIDTH|paper PAGE… - looks at each page as people do:
// in a window so wide, or as it would be printed. A line for each finding, and one at the end that says how
// many looks there were. axe knows the rules of accessibility; what else it must not do is here.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const [how, ...files] = process.argv.slice(2);
const looks =
	how === 'paper'
		? [{ media: 'print', width: 700, colorScheme: 'light' }]
		: [{ media: 'screen', width: Number(how.split('-')[1]), colorScheme: how.split('-')[0] }];

// What a person would see: text that stands alone and says nothing, a page wider than its window.
function oddities() {
	const found = [];
	if (document.scrollingElement.scrollWidth > innerWidth)
		found.push(`${document.scrollingElement.scrollWidth} wide`);
	const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const node = walk.currentNode;
		if (!/^[\s,;:.]*[,;:.][\s,;:.]*$/.test(node.data)) continue;
		const range = document.createRange();
		range.selectNodeContents(node);
		const own = range.getBoundingClientRect();
		const before = node.previousSibling?.getBoundingClientRect?.();
		// A separator stands on the line, or at its end, of what it follows.
		if (own.width && before && own.top >= before.bottom - 2)
			found.push(`"${node.data.trim()}" stands alone in ${node.parentNode.outerHTML.slice(0, 200)}`);
	}
	const one = document.body.innerText.match(/\b1 (connection|record|line|program|destination|host|setting|change|log|server)s\b/);
	if (one) found.push(`"${one[0]}"`);
	for (const head of document.querySelectorAll('th'))
		if (!head.textContent.trim()) found.push('a table header without a name');
	if (matchMedia('print').matches)
		for (const table of document.querySelectorAll('.numbers table'))
			if (!table.getBoundingClientRect().height) found.push('the daily table is not printed');
	return found;
}

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu'],
});
let seen = 0;
for (const file of files) {
	for (const look of looks) {
		const context = await browser.newContext({
			bypassCSP: true, // axe is a script, which the page itself forbids
			colorScheme: look.colorScheme,
			viewport: { width: look.width, height: 900 },
		});
		const page = await context.newPage();
		const name = `${file} ${look.media} ${look.width} ${look.colorScheme}`;
		await page.emulateMedia({ media: look.media, colorScheme: look.colorScheme });
		await page.goto(pathToFileURL(file).href);
		for (const oddity of await page.evaluate(oddities)) console.log(`${name}: ${oddity}`);
		await page.addScriptTag({ path: axe });
		const { violations } = await page.evaluate(
			(only) => window.axe.run(only ? { runOnly: only } : {}),
			// In the dark nothing but colours is another.
			how.startsWith('dark') ? ['color-contrast'] : null
		);
		for (const { id, help, nodes } of violations)
			console.log(`${name}: ${id}: ${help}: ${nodes.map((n) => n.html.slice(0, 150)).slice(0, 3).join(' | ')}`);
		await context.close();
		seen++;
	}
}
await browser.close();
console.log(`looked ${seen} times`);
