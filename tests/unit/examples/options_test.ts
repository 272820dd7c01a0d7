/** The command line of `deno task start`. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { HELP } from "../../../examples/start/help.ts";
import { parseOptions, UsageError } from "../../../examples/start/options.ts";

Deno.test("start options: without any, two hosts and 64 MiB", () => {
  assertEquals(parseOptions([]), {
    job: "two-hosts",
    size: 64 * 1024 * 1024,
    seed: 1,
    mtu: 1500,
    capture: "out/start.pcapng",
    snaplen: undefined,
    settings: { sysctl: {} },
  });
});

Deno.test("start options: two hosts as told", () => {
  const args = ["--size", "1.5KiB", "--seed=-7", "--mtu", "576", "--no-capture", "--snaplen", "0"];
  assertEquals(parseOptions(args), {
    job: "two-hosts",
    size: 1536,
    seed: -7,
    mtu: 576,
    capture: undefined,
    snaplen: 262144,
    settings: { sysctl: {} },
  });
});

Deno.test("start options: a TAP device", () => {
  assertEquals(parseOptions(["--tap", "godwit0", "--address", "10.1.2.3/16", "--port", "8080"]), {
    job: "tap",
    device: "godwit0",
    address: { address: "10.1.2.3", bits: 16 },
    hostAddress: { address: "10.9.0.1", bits: 24 },
    port: 8080,
    seed: 1,
    settings: { sysctl: {} },
  });
});

Deno.test("start options: a replay", () => {
  const args = ["--replay", "some.pcap", "--listen", "udp/53", "--listen", "tcp/80", "--totals"];
  assertEquals(parseOptions(args), {
    job: "replay",
    file: "some.pcap",
    address: undefined,
    listen: [{ protocol: "udp", port: 53 }, { protocol: "tcp", port: 80 }],
    totals: true,
    settings: { sysctl: {} },
  });
});

Deno.test("start options: two processes and a socket file", () => {
  const settings = { sysctl: {} };
  assertEquals(parseOptions(["--serve", "/run/cable", "--seed", "3"]), {
    job: "serve",
    file: "/run/cable",
    seed: 3,
    settings,
  });
  assertEquals(parseOptions(["--get", "cable", "--size", "1KiB"]), {
    job: "get",
    file: "cable",
    size: 1024,
    seed: 1,
    settings,
  });
});

Deno.test("start options: settings", () => {
  const all = ["--profile", "strict", "--sysctl", "a.b=1", "--sysctl", "net/c=2 3 = 4"];
  for (const job of [[], ["--tap", "x"], ["--replay", "f"], ["--serve", "f"], ["--get", "f"]]) {
    const options = parseOptions([...job, ...all]);
    assert(options.job !== "help");
    assertEquals(options.settings, {
      profile: "strict",
      sysctl: { "a.b": "1", "net/c": "2 3 = 4" },
    });
  }
});

Deno.test("start options: help wins, and names every option", () => {
  assertEquals(parseOptions(["--help"]), { job: "help" });
  assertEquals(parseOptions(["-h", "--tap", "x"]), { job: "help" });
  for (
    const name of [
      "--size",
      "--mtu",
      "--seed",
      "--capture",
      "--no-capture",
      "--snaplen",
      "--tap",
      "--address",
      "--host-address",
      "--port",
      "--replay",
      "--listen",
      "--totals",
      "--serve",
      "--get",
      "--profile",
      "--sysctl",
    ]
  ) {
    assertStringIncludes(HELP, name);
  }
  assert(HELP.split("\n").every((line) => line.length <= 100));
});

Deno.test("start options: what makes no sense is refused, with the reason", () => {
  const refused: [string[], string][] = [
    [["--nonsense"], "--nonsense"],
    [["stray"], "stray"],
    [["--profile", "bsd"], 'linux or strict, not "bsd"'],
    [["--sysctl", "net.ipv4.tcp_ecn"], "NAME=VALUE"],
    [["--sysctl", "=1"], "NAME=VALUE"],
    [["--size"], "--size"],
    [["--size", "big"], 'not "big"'],
    [["--size", "-5"], "--size"],
    [["--mtu", "67"], "from 68 to 2032"],
    [["--mtu", "1500.5"], "--mtu"],
    [["--seed", "x"], "--seed"],
    [["--snaplen", "300000"], "--snaplen"],
    [["--capture", ""], "--capture"],
    [["--capture", "a", "--no-capture"], "exclude"],
    [["--tap", ""], "--tap"],
    [["--tap", "a name"], "--tap"],
    [["--tap", "x".repeat(16)], "--tap"],
    [["--tap", "x", "--size", "1"], "--size belongs to the two hosts and --get, not to --tap"],
    [["--tap", "x", "--port", "0"], "--port"],
    [["--tap", "x", "--address", "10.0.0.256"], "--address"],
    [["--tap", "x", "--address", "10.0.0.1/33"], "--address"],
    [["--tap", "x", "--address", "10.0.0.1/8/8"], "--address"],
    [["--tap", "x", "--address", "127.0.0.1"], "127.0.0.1 is no host"],
    [["--tap", "x", "--address", "10.0.0.0/24"], "10.0.0.0/24 is no host"],
    [["--tap", "x", "--address", "10.0.255.255/16"], "is no host"],
    [["--replay", "f", "--address", "255.255.255.255/32"], "is no host"],
    [["--replay", "f", "--address", "224.0.0.1"], "is no host"],
    [["--tap", "x", "--host-address", "10.9.0.2"], "both 10.9.0.2"],
    [["--replay", ""], "--replay"],
    [["--replay", "f", "--listen", "80"], "--listen"],
    [["--replay", "f", "--listen", "tcp/0"], "--listen"],
    [["--replay", "f", "--listen", "tcp/65536"], "--listen"],
    [["--serve", ""], "--serve"],
    [["--serve", "f", "--get", "f"], "--get belongs to --get, not to --serve"],
    [["--get", "f", "--port", "1"], "--port belongs to --tap, not to --get"],
    [["--listen", "tcp/80"], "--listen belongs to --replay, not to the two hosts"],
    [["--address", "10.0.0.1"], "--address belongs to --tap and --replay"],
  ];
  for (const [args, words] of refused) {
    const error = assertThrows(() => parseOptions(args), UsageError);
    assertStringIncludes(error.message, words, args.join(" "));
  }
});
