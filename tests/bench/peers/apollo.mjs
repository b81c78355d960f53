// Apollo Gateway in Apollo Server, as its manual starts it.
import { readFileSync } from "node:fs";
import { ApolloGateway } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";

const supergraphSdl = readFileSync(process.env.BENCH_SUPERGRAPH, "utf8");
const server = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl }), introspection: false });
await startStandaloneServer(server, { listen: { host: "127.0.0.1", port: Number(process.env.BENCH_PORT) } });
