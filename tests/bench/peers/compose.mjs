// Composes the agencies' subgraphs into one supergraph: BENCH_SUBGRAPHS (JSON), to standard output.
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";

const subgraphs = JSON.parse(process.env.BENCH_SUBGRAPHS);
const composed = composeServices(
  subgraphs.map(({ name, url, schema }) => ({ name, url, typeDefs: parse(schema) })),
);
if (composed.errors?.length) {
  throw new Error(composed.errors.map((error) => error.message).join("\n"));
}
process.stdout.write(composed.supergraphSdl);
