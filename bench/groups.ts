/**
 * All rows there are, in the order of the table. A new group is a file that exports its rows, and
 * an entry here; a group that needs more than this process (root, another program) says in
 * `missing` why it cannot be measured, and is left out.
 *
 * @module
 */

import type { RowGroup } from "./row.ts";
import { bulkRows } from "./rows/bulk.ts";
import { connectionRows } from "./rows/connections.ts";
import { datagramRows } from "./rows/datagrams.ts";
import { deviceRows, noNamespace } from "./rows/devices.ts";
import { forwardRows } from "./rows/forward.ts";
import { localRows } from "./rows/local.ts";
import { longPathRows } from "./rows/long_path.ts";
import { memoryRows } from "./rows/memory.ts";
import { millionRows } from "./rows/million.ts";
import { processRows } from "./rows/processes.ts";
import { protocolRows } from "./rows/protocols.ts";
import { roundTripRows } from "./rows/round_trip.ts";
import { routeRows } from "./rows/routes.ts";
import { soakRows } from "./rows/soak.ts";
import { stageRows } from "./rows/stages.ts";
import { sizeRows, startRows } from "./rows/start.ts";
import { noIperf, tapRows } from "./rows/tap.ts";

/** The groups. */
export const GROUPS: readonly RowGroup[] = [
  { name: "bulk", about: "bulk TCP", rows: bulkRows },
  { name: "path", about: "bulk TCP over a long path, on a virtual clock", rows: longPathRows },
  { name: "roundtrip", about: "messages there and back", rows: roundTripRows },
  { name: "connections", about: "connections opened and closed", rows: connectionRows },
  { name: "udp", about: "datagrams", rows: datagramRows },
  { name: "local", about: "local sockets", rows: localRows },
  { name: "processes", about: "programs that share no thread", rows: processRows },
  { name: "protocols", about: "a packet through loaded protocols", rows: protocolRows },
  { name: "routes", about: "routes looked up", rows: routeRows },
  { name: "stages", about: "where the time of a bulk transfer goes", rows: stageRows },
  { name: "memory", about: "memory of idle connections", rows: memoryRows },
  { name: "start", about: "size and start of a stack", rows: [...sizeRows, ...startRows] },
  {
    name: "devices",
    about: "drivers for interfaces of Linux, without a stack",
    rows: deviceRows,
    missing: noNamespace,
  },
  {
    name: "tap",
    about: "bulk TCP with the kernel over TAP",
    rows: tapRows,
    missing: () => noNamespace() ?? noIperf(),
  },
  {
    name: "forward",
    about: "packets that a router sends on",
    rows: forwardRows,
    missing: noNamespace,
  },
  {
    name: "soak",
    about: "a long transfer that must leave nothing behind",
    rows: soakRows,
    long: true,
  },
  { name: "million", about: "a million connections", rows: millionRows, long: true },
];
