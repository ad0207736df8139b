// SPDX-License-Identifier: GPL-2.0-only
// parquet_read.mjs duckdb|hyparquet DIR: prints the tables of an export as JSON: rows, types and, by DuckDB, aggregates.
// Integers above 2^53 are strings.
import { readdirSync } from 'node:fs';

const [, , reader, dir] = process.argv;
const files = readdirSync(dir).map((f) => [f.replace(/\.parquet$/, ''), `${dir}/${f}`]);
const out = {};

async function byDuckdb() {
	const { DuckDBInstance } = await import('@duckdb/node-api');
	const c = await (await DuckDBInstance.create(':memory:')).connect();
	const rows = async (sql) => (await c.runAndReadAll(sql)).getRowObjectsJson();
	for (const [table, file] of files) {
		const from = `from read_parquet('${file}')`;
		const types = Object.fromEntries((await rows(`describe select * ${from}`))
			.map((r) => [r.column_name, r.column_type]));
		const aggregates = {};
		for (const [name, type] of Object.entries(types)) {
			if (!/^U?(BIG|SMALL|TINY)?INT(EGER)?$/.test(type)) continue;
			const q = `"${name}"`;
			aggregates[name] = (await rows(`select count(${q}) "count", min(${q}) "min", max(${q}) "max",
				sum(${q}::hugeint) "sum", (select count(*) ${from} where ${q} >= 9223372036854775808) "upper",
				(select count(*) ${from} where ${q} < 0) "negative"
				${from}`))[0];
		}
		out[table] = {
			types, aggregates,
			groups: (await rows(`select count(distinct row_group_id) n from parquet_metadata('${file}')`))[0].n,
			rows: await rows(`select * replace (epoch_us(time) as time) ${from}`),
		};
	}
}

async function byHyparquet() {
	const { parquetReadObjects, asyncBufferFromFile } = await import('hyparquet');
	const { compressors } = await import('hyparquet-compressors');
	for (const [table, path] of files) {
		const file = await asyncBufferFromFile(path);
		const parsers = { timestampFromMicroseconds: (us) => us }; // a Date has milliseconds only
		const rows = await parquetReadObjects({ file, compressors, parsers });
		out[table] = { aggregates: {}, rows };
	}
}

await (reader === 'duckdb' ? byDuckdb() : byHyparquet());
process.stdout.write(JSON.stringify(out, (k, v) => (typeof v === 'bigint' ? v.toString() : v)));
