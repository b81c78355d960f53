// Hive Gateway with the query planner that is written in Rust.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";
import { unifiedGraphHandler } from "@graphql-hive/router-runtime";

const gateway = createGatewayRuntime({
  supergraph: readFileSync(process.env.BENCH_SUPERGRAPH, "utf8"),
  unifiedGraphHandler,
  landingPage: false,
  graphiql: false,
  logging: false,
});
createServer(gateway).listen(Number(process.env.BENCH_PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit());
