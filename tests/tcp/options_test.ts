/** Options of level IPPROTO_TCP and TCP_INFO. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Cc, TcpState } from "../../assembly/abi/tcp.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { Conn, Errno, Host, pattern, PEER } from "./harness.ts";
import { accepted, connecting, established, localPort, NEWRENO } from "./shake.ts";

const { TcpInfo } = layout;
const LEVEL = IpProto.TCP;

/** A field of TCP_INFO. */
function info(c: Conn, name: keyof typeof TcpInfo): number {
  const at = c.host.engine.scratch + 2048;
  const n = c.host.call("so_getopt", c.so, LEVEL, TcpOpt.INFO, at, TcpInfo.size);
  assertEquals(n, TcpInfo.size);
  return c.host.inspect.u32(at + TcpInfo[name]);
}

Deno.test("TCP options: what is set is read back; flags are 0 or 1", async () => {
  const host = await Host.boot();
  const so = host.socket();
  const values: [TcpOpt, number, number][] = [
    [TcpOpt.NODELAY, 7, 1],
    [TcpOpt.NODELAY, 0, 0],
    [TcpOpt.RFC1323, 0, 0],
    [TcpOpt.RFC1323, 1, 1],
    [TcpOpt.STDURG, 1, 1],
    [TcpOpt.NODELAYACK, -1, 1],
    [TcpOpt.KEEPIDLE, 10, 10],
    [TcpOpt.KEEPINTVL, 11, 11],
    [TcpOpt.KEEPCNT, 12, 12],
    [TcpOpt.MAXSEG, 500, 500],
    [TcpOpt.USER_TIMEOUT, 1234, 1234],
    [TcpOpt.CONGESTION, 0, 0],
    [TcpOpt.QUICKACK, 0, 0],
    [TcpOpt.QUICKACK, 1, 1],
    [TcpOpt.CORK, 5, 1],
    [TcpOpt.CORK, 0, 0],
    [TcpOpt.NOTSENT_LOWAT, 4096, 4096],
    [TcpOpt.NOTSENT_LOWAT, 0, -1], // 2^32 - 1: the setting of the stack again
    [TcpOpt.SYNCNT, 127, 127],
    [TcpOpt.LINGER2, 7, 7],
    [TcpOpt.LINGER2, 1000, 120],
    [TcpOpt.LINGER2, -5, -1],
    [TcpOpt.LINGER2, 0, 60],
    [TcpOpt.WINDOW_CLAMP, 20_000, 20_000],
    [TcpOpt.WINDOW_CLAMP, 1, 1072],
    [TcpOpt.WINDOW_CLAMP, 0, 0],
    [TcpOpt.MTU_PROBE, 2, 1],
    [TcpOpt.MTU_PROBE, 0, 0],
    [TcpOpt.KEEPINIT, 20, 20],
    [TcpOpt.KEEPINIT, 0, 0],
  ];
  for (const [name, value, read] of values) {
    host.setopt(so, LEVEL, name, value);
    assertEquals(host.getopt(so, LEVEL, name), read, `${name}`);
  }
  host.end(so);
});

Deno.test("TCP options: defaults", async () => {
  const host = await Host.boot();
  const so = host.socket();
  const defaults: [TcpOpt, number][] = [
    [TcpOpt.NODELAY, 0],
    [TcpOpt.RFC1323, 1],
    [TcpOpt.STDURG, 0],
    [TcpOpt.NODELAYACK, 0],
    [TcpOpt.KEEPIDLE, 7200],
    [TcpOpt.KEEPINTVL, 75],
    [TcpOpt.KEEPCNT, 8],
    [TcpOpt.MAXSEG, 536],
    [TcpOpt.USER_TIMEOUT, 0],
    [TcpOpt.CONGESTION, Cc.CUBIC],
    [TcpOpt.CORK, 0],
    [TcpOpt.NOTSENT_LOWAT, -1],
    [TcpOpt.SYNCNT, 5],
    [TcpOpt.LINGER2, 60],
    [TcpOpt.WINDOW_CLAMP, 0],
    [TcpOpt.KEEPINIT, 0],
    [TcpOpt.MTU_PROBE, 0],
  ];
  for (const [name, value] of defaults) assertEquals(host.getopt(so, LEVEL, name), value);
  host.end(so);
});

Deno.test("TCP options: bad names, lengths and values", async () => {
  const c = await established();
  const { host, so } = c;
  assertEquals(host.trySetopt(so, LEVEL, 0x7777, 1), -Errno.ENOPROTOOPT);
  assertEquals(host.trySetopt(so, LEVEL, TcpOpt.INFO, 1), -Errno.ENOPROTOOPT);
  assertEquals(host.trySetopt(so, 99, TcpOpt.NODELAY, 1), -Errno.ENOPROTOOPT);
  assertEquals(host.trySetopt(so, LEVEL, TcpOpt.NODELAY), -Errno.EINVAL, "no value");
  for (const value of [-1, 0, 63, 65_496]) {
    assertEquals(host.trySetopt(so, LEVEL, TcpOpt.MAXSEG, value), -Errno.EINVAL);
  }
  assertEquals(host.trySetopt(so, LEVEL, TcpOpt.MAXSEG, 1461), -Errno.EINVAL, "cannot grow");
  assertEquals(host.trySetopt(so, LEVEL, TcpOpt.CONGESTION, 99), -Errno.EINVAL);
  const refused: [TcpOpt, number[]][] = [
    [TcpOpt.USER_TIMEOUT, [-1]],
    [TcpOpt.KEEPIDLE, [0, -1, 32_768]],
    [TcpOpt.KEEPINTVL, [0, -1, 32_768]],
    [TcpOpt.KEEPINIT, [-1, 32_768]],
    [TcpOpt.KEEPCNT, [0, -1, 128]],
    [TcpOpt.SYNCNT, [0, -1, 128]],
    [TcpOpt.WINDOW_CLAMP, [0, -1]],
  ];
  for (const [name, values] of refused) {
    for (const value of values) {
      assertEquals(host.trySetopt(so, LEVEL, name, value), -Errno.EINVAL, `${name}: ${value}`);
    }
  }
  assertEquals(host.trySetopt(so, LEVEL, TcpOpt.RFC1323, 0), -Errno.EISCONN);
  const at = host.place();
  assertEquals(host.call("so_getopt", so, LEVEL, TcpOpt.NODELAY, at, 3), -Errno.EINVAL);
  assertEquals(host.call("so_getopt", so, LEVEL, 0x7777, at, 4), -Errno.ENOPROTOOPT);
  c.end();
});

Deno.test("TCP_MAXSEG on a connection makes segments smaller from then on", async () => {
  const c = await established();
  c.host.setopt(c.so, LEVEL, TcpOpt.MAXSEG, 600);
  c.write(pattern(1200));
  c.expect({ seq: 1, len: 600 });
  c.expect({ seq: 601, len: 600 });
  c.end();
});

Deno.test("RFC 9293 3.7.1: TCP_MAXSEG before connect is what the SYN announces", async () => {
  const host = await Host.boot();
  const so = host.socket();
  host.setopt(so, LEVEL, TcpOpt.MAXSEG, 700);
  assertEquals(host.call("so_connect", so, host.name(PEER, 80)), -Errno.EINPROGRESS);
  host.step();
  const c = new Conn(host, localPort(host, so), 80);
  c.so = so;
  c.expect({ flags: "S", mss: 700 });
  c.send({ flags: "SA", ack: 1, mss: 1460 });
  c.expect({ flags: "A" });
  assertEquals(host.getopt(so, LEVEL, TcpOpt.MAXSEG), 700);
  c.write(pattern(1400));
  c.expect({ seq: 1, len: 700 });
  c.expect({ seq: 701, len: 700 });
  c.end();
});

Deno.test("TCP_MAXSEG on a listener: what its SYN-ACKs announce", async () => {
  const host = await Host.boot();
  const listener = host.listen(80, 5, [[LEVEL, TcpOpt.MAXSEG, 700]]);
  const c = new Conn(host, 80, 40000);
  c.send({ flags: "S", mss: 1460 });
  c.expect({ flags: "SA", mss: 700 });
  c.send({ flags: "A", ack: 1 });
  c.so = host.accept(listener);
  c.write(pattern(1400));
  c.expect({ seq: 1, len: 700 });
  c.end(listener);
});

Deno.test("TCP_WINDOW_CLAMP: no window is larger, the SYN's included", async () => {
  const c = await connecting({ options: [[LEVEL, TcpOpt.WINDOW_CLAMP, 5000]] });
  c.send({ flags: "SA", ack: 1, mss: 1460 });
  c.expect({ flags: "A", win: 5000 });
  for (let i = 0; i < 8; i++) c.send({ data: pattern(1000, 1000 * i), seq: 1 + 1000 * i });
  for (const s of c.takeAll()) assertEquals(s.win <= 5000, true, `${s.win}`);
  assertEquals(c.read().length > 0, true);
  for (const s of c.takeAll()) assertEquals(s.win <= 5000, true, `${s.win}`);
  c.end();
  const passive = await Host.boot();
  const listener = passive.listen(80, 5, [[LEVEL, TcpOpt.WINDOW_CLAMP, 5000]]);
  const d = new Conn(passive, 80, 40000);
  d.send({ flags: "S", mss: 1460 });
  d.expect({ flags: "SA", win: 5000 });
  passive.end(listener);
});

Deno.test("TCP_WINDOW_CLAMP: a full buffer that is read opens the window again", async () => {
  const c = await established({ rcvbuf: 8000, options: [[LEVEL, TcpOpt.WINDOW_CLAMP, 2000]] });
  let sent = 0;
  for (; sent < 8000; sent += 1000) c.send({ data: pattern(1000, sent), seq: 1 + sent });
  c.host.advance(1_000_000);
  assertEquals(c.takeAll().at(-1)?.win, 0);
  c.read();
  c.expect({ flags: "A", ack: 1 + sent, win: 2000 });
  c.end();
});

Deno.test("TCP_WINDOW_CLAMP: less than a segment is still a window", async () => {
  const c = await established({ options: [[LEVEL, TcpOpt.WINDOW_CLAMP, 1300]] });
  c.send({ data: pattern(1300), seq: 1 });
  c.host.advance(1_000_000);
  assertEquals(c.read().length, 1300);
  assertEquals(c.takeAll().at(-1)?.win, 1300);
  c.end();
});

Deno.test("accepted connections inherit the listener's options", async () => {
  const values: [number, number, number][] = [
    [LEVEL, TcpOpt.NODELAY, 1],
    [LEVEL, TcpOpt.NODELAYACK, 1],
    [LEVEL, TcpOpt.STDURG, 1],
    [LEVEL, TcpOpt.KEEPIDLE, 10],
    [LEVEL, TcpOpt.KEEPINTVL, 11],
    [LEVEL, TcpOpt.KEEPCNT, 12],
    [LEVEL, TcpOpt.USER_TIMEOUT, 5000],
    [LEVEL, TcpOpt.CORK, 1],
    [LEVEL, TcpOpt.NOTSENT_LOWAT, 9000],
    [LEVEL, TcpOpt.LINGER2, 9],
    [LEVEL, TcpOpt.MTU_PROBE, 1],
    [LEVEL, TcpOpt.WINDOW_CLAMP, 30_000],
  ];
  const { c } = await accepted({ options: values });
  for (const [level, name, value] of values) {
    assertEquals(c.host.getopt(c.so, level, name), value, `${name}`);
  }
  c.end();
});

Deno.test("TCP_INFO: the options that were agreed, windows and MSS", async () => {
  const c = await established({ ts: true, sackOk: true, wscale: 7, win: 1000 });
  assertEquals(info(c, "state"), TcpState.ESTABLISHED);
  assertEquals(info(c, "options"), 7);
  assertEquals([info(c, "snd_wscale"), info(c, "rcv_wscale")], [7, 7]);
  assertEquals([info(c, "snd_mss"), info(c, "rcv_mss")], [1448, 536]);
  c.send({});
  assertEquals(info(c, "snd_wnd"), 128_000);
  assertEquals(info(c, "rcv_wnd"), 262_144);
  assertEquals(info(c, "snd_cwnd"), 14_480);
  c.end();
  const plain = await established();
  assertEquals(info(plain, "options"), 0);
  plain.end();
});

Deno.test("TCP_INFO: what was sent, acknowledged, lost and received", async () => {
  const c = await established({ sackOk: true, rtt_us: 10_000 });
  c.write(pattern(4380));
  c.takeAll();
  c.host.advance(10_000);
  assertEquals([info(c, "snd_una_rel"), info(c, "snd_nxt_rel")], [1, 4381]);
  assertEquals(info(c, "unacked_bytes"), 4380);
  c.send({ ack: 1461, sack: [[2921, 4381]] });
  assertEquals([info(c, "unacked_bytes"), info(c, "sacked_bytes")], [2920, 1460]);
  assertEquals([info(c, "ca_state"), info(c, "dupacks")], [1, 0]);
  assertEquals([info(c, "unacked"), info(c, "sacked"), info(c, "lost")], [2, 1, 0]);
  c.host.advance(3000); // RACK finds the loss
  assertEquals([info(c, "ca_state"), info(c, "lost"), info(c, "retrans")], [3, 1, 1]);
  c.host.advance(300_000); // its retransmission is lost too
  assertEquals(info(c, "ca_state"), 4);
  assertEquals([info(c, "rexmt_segments"), info(c, "rexmt_timeouts")], [2, 1]);
  assertEquals([info(c, "backoff"), info(c, "rto_us")], [1, 400_000]);
  c.send({ ack: 4381, data: "abc" });
  c.send({ seq: 10, data: "x" });
  assertEquals([info(c, "rcv_nxt_rel"), info(c, "out_of_order")], [4, 1]);
  c.end();
});

Deno.test("TCP_INFO: recovery, and a record cut to the caller's length", async () => {
  const c = await established({ options: [NEWRENO] });
  c.write(pattern(14_600));
  c.takeAll();
  c.send({ ack: 1 });
  assertEquals([info(c, "ca_state"), info(c, "dupacks")], [1, 1]);
  c.send({ ack: 1 });
  c.send({ ack: 1 });
  assertEquals([info(c, "ca_state"), info(c, "dupacks")], [3, 3]);
  assertEquals(info(c, "snd_ssthresh"), 7300);
  const at = c.host.place();
  assertEquals(c.host.call("so_getopt", c.so, LEVEL, TcpOpt.INFO, at, 8), 8);
  assertEquals(c.host.inspect.u32(at + 8), 0, "nothing beyond");
  c.end();
});

Deno.test("options of a socket whose connection has ended: EINVAL", async () => {
  const c = await connecting();
  c.send({ flags: "RA", seq: 0, ack: 1 });
  assertEquals(c.host.trySetopt(c.so, LEVEL, TcpOpt.NODELAY, 1), -Errno.EINVAL);
  const at = c.host.place();
  assert(c.host.call("so_getopt", c.so, LEVEL, TcpOpt.INFO, at, 8) === -Errno.EINVAL);
  c.end();
});

Deno.test("TCP_QUICKACK: ACKs are not delayed; without it they wait for company", async () => {
  const c = await established();
  c.send({ data: "a" });
  c.silent();
  c.host.setopt(c.so, LEVEL, TcpOpt.QUICKACK, 1);
  c.expect({ flags: "A", ack: 2 });
  c.send({ data: "b" });
  c.expect({ flags: "A", ack: 3 });
  c.end();
});
