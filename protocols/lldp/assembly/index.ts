/**
 * LLDP (IEEE 802.1AB-2016): each Ethernet interface announces who we are and learns who is at the
 * other end of the wire. An untrusted module: what strangers send is read here, apart from the
 * stack.
 */
import { RecordFlag, RecordKind } from "../../../assembly/abi/untrusted";
import * as record from "../../../assembly/untrusted/record";
import { Record } from "../../../assembly/untrusted/record";
import * as config from "./config";
import * as neighbour from "./neighbour";
import * as port from "./port";
import * as report from "./report";

export { input, output } from "../../../assembly/untrusted/record";

/** Called with `length` bytes of records; answers how many bytes of records it has written. */
export function handle(length: u32, now_us: f64): i32 {
  record.begin();
  let stopping = false;
  const end = record.first() + length;
  for (let at = record.first(); at < end; at = record.next(at)) {
    const r = changetype<Record>(at);
    switch (u32(r.kind)) {
      case RecordKind.START:
        config.set(r.data, r.length);
        break;
      case RecordKind.INTERFACE:
        if (r.flags == (RecordFlag.UP | RecordFlag.ETHERNET)) port.set(r);
        else gone(r.index);
        break;
      case RecordKind.FRAME:
        neighbour.heard(r, now_us);
        break;
      case RecordKind.TICK:
        neighbour.age(now_us);
        break;
      case RecordKind.STOP:
        stopping = true;
        break;
      default:
    }
  }
  if (stopping) port.shutdown();
  else port.transmit(now_us);
  report.stats();
  return record.answer();
}

/** An interface is down or gone, and with it whoever was heard there. */
function gone(index: u32): void {
  neighbour.forget(index);
  port.clear(index);
}
