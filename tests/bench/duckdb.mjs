// Groups a log as `tlswitness report --by version,program,destination` does, with
// DuckDB: the columns that are needed and no others, as somebody would write it who
// wants it fast. Rows go to stdout as TSV; the query's own time in seconds, without
// the start of Node.js and of the database, to stderr.
import { DuckDBInstance } from "@duckdb/node-api";

const [log] = process.argv.slice(2);
const columns = ["tls.version", "tlswitness.script", "process.executable", "destination.domain"];
const types = columns.map((name) => `'${name}': 'VARCHAR'`).join(", ");
const query = `
  SELECT coalesce("tls.version", 'clear'),
         coalesce("tlswitness.script", "process.executable"),
         "destination.domain",
         count(*)
  FROM read_json('${log.replaceAll("'", "''")}', format = 'newline_delimited', columns = {${types}})
  GROUP BY ALL`;

const instance = await DuckDBInstance.create(":memory:");
const connection = await instance.connect();
const start = performance.now();
const reader = await connection.runAndReadAll(query);
const seconds = (performance.now() - start) / 1000;
process.stdout.write(reader.getRows().map((row) => row.join("\t") + "\n").join(""));
process.stderr.write(`${seconds}\n`);
