/**
 * `netstat`: sockets, interfaces, routes, counters and memory of a stack.
 *
 * @module
 */

import type { Netstat, Route, SocketReport, TcpInfo } from "../../mod.ts";
import { RequestError } from "../request.ts";
import type { StackReport } from "../requests.ts";
import { type CommandDefinition, jsonLine, type Run } from "./command.ts";
import { routeFlags, strong, table } from "./text.ts";

/** Words of a congestion-control state, by number. */
const CA_STATES = ["open", "disorder", "cwr", "recovery", "loss"];

/** The definition. */
export const netstat: CommandDefinition = {
  name: "netstat",
  about: "Shows what a stack is doing.",
  snapshot: true,
  examples: [
    ["--control /tmp/a.sock", "connections of the stack behind that socket"],
    ["-a -x", "all sockets, and what TCP knows of each connection"],
    ["-i", "interfaces and what they have counted"],
    ["-rn", "the routing table"],
    ["-s -p tcp", "the counters of TCP"],
    ["-m --snapshot stack.godwit", "memory of a stack in a snapshot"],
    ["-a --json | jq .local", "sockets as objects"],
  ],
  define: (command) =>
    command
      .option("-a, --all", "sockets that listen too")
      .option("-i, --interfaces", "interfaces")
      .option("-r, --routes", "the routing table")
      .option("-s, --statistics", "counters that are not 0; -ss all of them", (_, n) => n + 1, 0)
      .option("-m, --memory", "mbufs")
      .option("-d, --destinations", "what TCP remembers of destinations")
      .option("-p, --protocol <name>", "only this protocol: tcp, udp, icmp, ...")
      .option("-x, --tcp-info", "what TCP knows of each connection")
      .option("-n", "addresses are numbers (they always are)"),
  run: async (run) => {
    const report = await run.one<StackReport>("netstat");
    mustBeKnown(run.options.protocol as string | undefined, report);
    const { interfaces, routes, statistics, memory, destinations } = run.options;
    const views: [unknown, (report: StackReport, run: Run) => void][] = [
      [interfaces, showInterfaces],
      [routes, showRoutes],
      [statistics, showCounters],
      [memory, showMemory],
      [destinations, showDestinations],
    ];
    const wanted = views.filter(([on]) => on);
    if (wanted.length === 0) showSockets(report, run);
    for (const [, show] of wanted) show(report, run);
    return 0;
  },
};

/** Domains whose sockets are shown; they may not be loaded. */
const DOMAINS = ["unix", "route", "packet"];

/** Groups of counters by the name of their protocol, in small letters. */
function countersOf(report: StackReport): Map<string, Record<string, number>> {
  const groups = new Map<string, Record<string, number>>();
  const add = (group: string, name: string, count: number) => {
    groups.set(group, { ...groups.get(group), [name]: count });
  };
  for (const [name, count] of Object.entries(report.counters)) {
    const [group, ...rest] = name.toLowerCase().split("_");
    if (rest.length === 0) add("other", group, count);
    else add(group, rest.join("_"), count);
  }
  for (const { name, counters, packets } of report.protocols) {
    groups.set(name, { ...groups.get(name), ...counters ?? { packets } });
  }
  for (const [name, count] of Object.entries(report.fates)) {
    add("frames", name.toLowerCase(), count);
  }
  return groups;
}

/** Whether a socket is of that protocol; `ip` means all raw ones. */
function isOf(protocol: string, wanted: unknown): boolean {
  return wanted === undefined || protocol === wanted || protocol.startsWith(`${wanted} `);
}

function mustBeKnown(wanted: string | undefined, report: StackReport): void {
  if (wanted === undefined) return;
  if (report.sockets.some(({ protocol }) => isOf(protocol, wanted))) return;
  const known = [...new Set([...countersOf(report).keys(), ...DOMAINS])];
  if (known.includes(wanted)) return;
  throw new RequestError(`there is no protocol ${wanted}; there are ${known.join(", ")}`, "ENOENT");
}

function showSockets({ sockets }: Netstat, run: Run): void {
  const { all, protocol } = run.options;
  const shown = sockets.filter((one) =>
    isOf(one.protocol, protocol) &&
    (all || one.state !== "LISTEN" && one.state !== "CLOSED")
  );
  if (run.json) return shown.forEach((one) => run.out(jsonLine(one)));
  const which = all ? "including servers" : "w/o servers";
  const [local, others] = [true, false].map((local) =>
    shown.filter((one) => (one.protocol === "unix") === local)
  );
  if (others.length > 0 || local.length === 0) {
    run.out(`Active Internet connections (${which})\n`);
    socketTable(others, run);
  }
  if (local.length === 0) return;
  run.out(`Active UNIX domain sockets (${which})\n`);
  socketTable(local, run);
}

function socketTable(shown: readonly SocketReport[], run: Run): void {
  const titles = ["Proto", "Recv-Q", "Send-Q", "Local Address", "Foreign Address", "State", "Fd"];
  const text = table(titles, shown.map(socketRow), run.colour);
  if (!run.options.tcpInfo) return run.out(text);
  const [head, ...lines] = text.trimEnd().split("\n");
  run.out(`${head}\n`);
  lines.forEach((line, i) => {
    const { tcp } = shown[i];
    run.out(`${line}\n${tcp ? infoLines(tcp) : ""}`);
  });
}

function socketRow(it: SocketReport): (string | number)[] {
  return [
    it.protocol,
    it.recvQueue,
    it.sendQueue,
    it.local,
    it.remote === "*" ? "*:*" : it.remote,
    it.state,
    it.fd < 0 ? "-" : String(it.fd),
  ];
}

/** What TCP_INFO says, as pairs. */
function infoLines(tcp: TcpInfo): string {
  const ms = (us: number) => (us / 1000).toFixed(3);
  const threshold = tcp.snd_ssthresh === 0x7fffffff ? "-" : tcp.snd_ssthresh;
  const lines = [
    `${CA_STATES[tcp.ca_state] ?? tcp.ca_state} cwnd:${tcp.snd_cwnd} ssthresh:${threshold} ` +
    `mss:${tcp.snd_mss} pmtu:${tcp.pmtu} wscale:${tcp.snd_wscale},${tcp.rcv_wscale}`,
    `rtt:${ms(tcp.srtt_us)}/${ms(tcp.rttvar_us)} ms rto:${ms(tcp.rto_us)} ms ` +
    `minrtt:${ms(tcp.rtt_min_us)} ms snd_wnd:${tcp.snd_wnd} rcv_wnd:${tcp.rcv_wnd}`,
    `bytes_sent:${tcp.bytes_sent} acked:${tcp.bytes_acked} received:${tcp.bytes_received} ` +
    `retrans:${tcp.rexmt_segments} segs_out:${tcp.segs_out} segs_in:${tcp.segs_in}`,
  ];
  return lines.map((line) => `      ${line}\n`).join("");
}

function showInterfaces({ interfaces }: Netstat, run: Run): void {
  if (run.json) return interfaces.forEach((one) => run.out(jsonLine(one)));
  const titles = ["Name", "Mtu", "Address", "Ipkts", "Ierrs", "Idrop", "Ibytes", "Opkts", "Oerrs"];
  const rows = interfaces.flatMap((it) => {
    const counted = [it.ipackets, it.ierrors, it.idrops, it.ibytes, it.opackets, it.oerrors];
    const name = it.flags & 1 ? it.name : `${it.name}*`;
    const [first = "", ...others] = [it.hwaddr, ...it.addresses].filter((text) => text !== "");
    const more = [...counted, it.odrops, it.obytes].map(String);
    return [
      [name, String(it.mtu), first, ...more],
      ...others.map((address) => [name, String(it.mtu), address, ...more.map(() => "-")]),
    ];
  });
  run.out(table([...titles, "Odrop", "Obytes"], rows, run.colour));
}

/** The routing table. */
export function showRoutes({ routes }: { readonly routes: readonly Route[] }, run: Run): void {
  if (run.json) return routes.forEach((one) => run.out(jsonLine(one)));
  const titles = ["Destination", "Gateway", "Flags", "Use", "Mtu", "Metric", "Netif"];
  const rows = routes.map((it) => [
    (it.destination === "0.0.0.0/0" ? "default" : it.destination.replace(/\/32$/, "")) +
    (it.from === "" ? "" : ` from ${it.from}`),
    it.gateway === "" ? "link" : it.gateway,
    routeFlags(it.flags),
    it.use,
    it.mtu,
    it.metric,
    it.interface,
  ]);
  run.out("Routing tables\n\nInternet:\n" + table(titles, rows, run.colour));
}

function showCounters(report: StackReport, run: Run): void {
  const every = Number(run.options.statistics) > 1;
  const { protocol } = run.options;
  const groups = [...countersOf(report)].flatMap(([group, all]) => {
    if (protocol !== undefined && group !== protocol) return [];
    const shown = Object.entries(all).filter(([, count]) => every || count !== 0);
    return shown.length === 0 ? [] : [[group, Object.fromEntries(shown)] as const];
  });
  if (run.json) return run.out(jsonLine(Object.fromEntries(groups)));
  for (const [group, values] of groups) {
    run.out(strong(`${group}:`, run.colour) + "\n");
    for (const [name, count] of Object.entries(values)) {
      run.out(`\t${count} ${name.replaceAll("_", " ")}\n`);
    }
  }
}

function showMemory({ mbufs }: Netstat, run: Run): void {
  if (run.json) return run.out(jsonLine(mbufs));
  for (const [name, pool] of Object.entries(mbufs)) {
    const { used, peak, limit, denied } = pool;
    const what = name === "small" ? "mbufs of 192 bytes" : "clusters of 2048 bytes";
    run.out(`${used}/${peak}/${limit} ${what} in use (current/peak/limit)\n`);
    run.out(`${denied} requests for ${what} denied\n`);
  }
}

function showDestinations({ destinations }: Netstat, run: Run): void {
  if (run.json) return destinations.forEach((one) => run.out(jsonLine(one)));
  const ms = (us: number) => us === 0 ? "-" : (us / 1000).toFixed(3);
  const rows = destinations.map((it) => [
    it.address,
    it.source,
    ms(it.srtt_us),
    ms(it.rttvar_us),
    it.ssthresh || "-",
    it.cwnd || "-",
  ]);
  run.out(
    table(["Address", "Source", "Rtt ms", "Rttvar ms", "Ssthresh", "Cwnd"], rows, run.colour),
  );
}
