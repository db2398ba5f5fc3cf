// Today's ClickHouse as an HTTP server on loopback: the body of a POST is the query, as ClickHouse's
// own interface has it. Prints its port; ends with its standard input.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { Session } = createRequire(import.meta.url)("chdb");
const session = new Session(mkdtempSync(join(tmpdir(), "tlswitness-chdb.")));

const server = createServer((request, response) => {
	const parts = [];
	request.on("data", (part) => parts.push(part));
	request.on("end", () => {
		try {
			const answer = session.query(Buffer.concat(parts).toString("utf8"), "TabSeparated");
			response.writeHead(200).end(answer);
		} catch (error) {
			response.writeHead(500).end(String(error.message));
		}
	});
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));
