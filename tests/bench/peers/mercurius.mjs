// mercurius with graphql-jit and loaders over the same SQL as the other contenders without HTTP sources.
import { readFileSync } from "node:fs";
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

const DATE = 1082;
const SEXES = { 0: "UNKNOWN", 1: "MALE", 2: "FEMALE", 9: "UNSTATED" };
const STATUSES = JSON.parse(process.env.BENCH_STATUSES);
const STATEMENTS = JSON.parse(process.env.BENCH_STATEMENTS);

pg.types.setTypeParser(DATE, (text) => text);
const pool = new pg.Pool({ connectionString: process.env.BENCH_SOURCES, max: 40 });

async function rows(name, keys) {
  const query = { name, text: STATEMENTS[name], values: [keys], rowMode: "array" };
  return (await pool.query(query)).rows;
}

async function grouped(name, keys, make) {
  const found = new Map(keys.map((key) => [key, []]));
  for (const row of await rows(name, keys)) found.get(row[0]).push(make(row));
  return keys.map((key) => found.get(key));
}

const person = ([idNumber, name, sex, birthDate, address]) => ({
  idNumber, name, sex: SEXES[sex], birthDate, address,
});
const certificate = ([, code, id, number, issuedOn, validUntil, status]) => ({
  id, type: { code }, number, issuedOn, validUntil, status: STATUSES[status],
});
const licence = ([, id, number, validUntil, status]) => ({
  id, number, validUntil, status: STATUSES[status],
});
const business = ([, uscc, name, status, address, representative]) => ({
  uscc, name, status, address, representative,
});

const resolvers = {
  Query: {
    async people(_, { idNumbers }) {
      const found = new Map((await rows("people", idNumbers)).map((row) => [row[0], person(row)]));
      return idNumbers.map((number) => found.get(number) ?? null);
    },
  },
};
const loaders = {
  Person: {
    async certificates(queries) {
      const keys = queries.map(({ obj }) => obj.idNumber);
      const held = await grouped("certificates", keys, certificate);
      return held.map((own, place) =>
        own.filter((one) => queries[place].params.types.includes(one.type.code)),
      );
    },
    businesses: (queries) => grouped("businesses", queries.map(({ obj }) => obj.idNumber), business),
  },
  Business: {
    certificates: (queries) => grouped("licences", queries.map(({ obj }) => obj.uscc), licence),
    async legalRepresentative(queries) {
      const keys = queries.map(({ obj }) => obj.representative);
      const asked = [...new Set(keys)];
      const found = new Map(
        (await rows("legal_representatives", asked)).map(([idNumber, name]) => [idNumber, { idNumber, name }]),
      );
      return keys.map((key) => found.get(key) ?? null);
    },
  },
};

const app = Fastify();
const schema = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");
app.register(mercurius, { schema, resolvers, loaders, jit: 1, graphiql: false });
await app.listen({ host: "127.0.0.1", port: Number(process.env.BENCH_PORT) });
