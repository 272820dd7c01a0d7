/** Puts TCP on the protocol switch. */
import { Af, Sock } from "../abi/socket";
import { IpProto, Pr } from "../abi/proto";
import * as in_pcb from "../inet/in_pcb";
import * as domain from "../protocol/domain";
import * as cc from "./cc";
import * as ctlinput from "./ctlinput";
import * as ctloutput from "./ctloutput";
import { INFO } from "./info";
import * as input from "./input";
import * as fastopen_queue from "./fastopen_queue";
import * as metrics from "./metrics";
import * as sent from "./sent";
import * as settings from "./settings";
import * as syncache from "./syncache";
import * as tcb from "./tcb";
import * as timewait from "./timewait";
import * as usrreq from "./usrreq";

/** Listeners with Fast Open at most. */
const FASTOPEN_LISTENERS_MOST: u32 = 1024;
/** Destinations that are remembered at most. */
const METRICS_MOST: u32 = 1024;

/** Sizes the tables and registers the row. */
export function register(tcbs: u32, halves: u32, timewaits: u32, records: u32): void {
  settings.init();
  cc.init();
  tcb.init(tcbs);
  sent.init(records);
  syncache.init(halves);
  timewait.init(timewaits);
  fastopen_queue.init(min<u32>(max<u32>(tcbs >> 2, 16), FASTOPEN_LISTENERS_MOST));
  metrics.init(min<u32>(tcbs, METRICS_MOST));
  in_pcb.initInfo(INFO, IpProto.TCP, max<u32>(tcbs, 256));
  const row = domain.addRow(Af.INET, Sock.STREAM, IpProto.TCP, Pr.CONNREQUIRED | Pr.WANTRCVD);
  row.input = input.input.index;
  row.ctlinput = ctlinput.ctlinput.index;
  row.ctloutput = ctloutput.ctloutput.index;
  row.usrreq = usrreq.usrreq.index;
}
