// Written by build.ts from the structs of assembly/; do not edit.
// Byte offsets of fields, and `size` in bytes.

/** Changes whenever a struct changes; engine.wasm carries the same value. */
export const LAYOUT_HASH = "da56df2671095ea0";

/** struct Ack */
export const Ack = {
  size: 64,
  rtt_at: 0,
  sack_at: 8,
  una: 16,
  delivered: 20,
  acked: 24,
  segments: 28,
  sacked: 32,
  dup: 36,
  orig: 40,
  dsack: 44,
  dsack_end: 48,
  resent: 52,
  lost: 56,
  lost_resent: 60,
} as const;

/** struct AheadState */
export const AheadState = {
  size: 4,
  sink: 0,
} as const;

/** struct Alarm */
export const Alarm = {
  size: 36,
  timer_0: 0,
  timer_1: 8,
  timer_2: 16,
  timer_3: 24,
  inp: 32,
} as const;

/** struct ArenaState */
export const ArenaState = {
  size: 20,
  top: 0,
  end: 4,
  refused: 8,
  owner: 12,
  regions: 16,
} as const;

/** struct ArpEntry */
export const ArpEntry = {
  size: 80,
  timer_0: 0,
  timer_1: 8,
  timer_2: 16,
  timer_3: 24,
  ifp: 32,
  ip: 36,
  chain: 40,
  newer: 44,
  older: 48,
  held: 52,
  held_last: 56,
  hw_hi: 60,
  hw_lo: 64,
  held_count: 68,
  tries: 72,
  state: 76,
  used: 77,
  pad: 78,
} as const;

/** struct ArpState */
export const ArpState = {
  size: 8,
  dead: 0,
  pad: 4,
} as const;

/** struct ArpTable */
export const ArpTable = {
  size: 16,
  buckets: 0,
  fn: 4,
  newest: 8,
  oldest: 12,
} as const;

/** struct BatchRecord */
export const BatchRecord = {
  size: 16,
  length: 0,
  full: 4,
  address: 8,
  port: 12,
} as const;

/** struct Blocked */
export const Blocked = {
  size: 20,
  next: 0,
  prev: 4,
  fn: 8,
  arg: 12,
  ifindex: 16,
} as const;

/** struct BootConfig */
export const BootConfig = {
  size: 52,
  memory_bytes: 0,
  mbufs_small: 4,
  mbufs_cluster: 8,
  sockets: 12,
  tcbs: 16,
  timewaits: 20,
  syncache: 24,
  routes: 28,
  neighbors: 32,
  addresses: 36,
  groups: 40,
  datagrams: 44,
  host_queue: 48,
} as const;

/** struct BootState */
export const BootState = {
  size: 4,
  staging: 0,
} as const;

/** struct BurstState */
export const BurstState = {
  size: 12,
  hlen: 0,
  flags: 4,
  base: 8,
} as const;

/** struct CcRow */
export const CcRow = {
  size: 32,
  init: 0,
  acked: 4,
  reduce: 8,
  timeout: 12,
  ecn: 16,
  undo: 20,
  idle: 24,
  sample: 28,
} as const;

/** struct ChallengeState */
export const ChallengeState = {
  size: 12,
  until: 0,
  left: 8,
} as const;

/** struct ClockState */
export const ClockState = {
  size: 8,
  now: 0,
} as const;

/** struct CloneState */
export const CloneState = {
  size: 24,
  ifp: 0,
  frame: 4,
  net: 8,
  head: 12,
  ip_sum: 16,
} as const;

/** struct CtlQuote */
export const CtlQuote = {
  size: 48,
  laddr_hi: 0,
  laddr_lo: 8,
  faddr_hi: 16,
  faddr_lo: 24,
  seq: 32,
  mtu: 36,
  lport: 40,
  fport: 42,
  protocol: 44,
  type: 45,
  code: 46,
  pad: 47,
} as const;

/** struct Cubic */
export const Cubic = {
  size: 72,
  w_est: 0,
  credit: 8,
  epoch_at: 16,
  acked_at: 24,
  undo_epoch_at: 32,
  undo_w_est: 40,
  w_max: 48,
  k_us: 52,
  cwnd_prior: 56,
  undo_w_max: 60,
  undo_k_us: 64,
  undo_cwnd_prior: 68,
} as const;

/** struct DataState */
export const DataState = {
  size: 8,
  copied: 0,
  last: 4,
} as const;

/** struct Domain */
export const Domain = {
  size: 16,
  next: 0,
  rows: 4,
  family: 8,
  slot: 12,
} as const;

/** struct DomainState */
export const DomainState = {
  size: 8,
  first: 0,
  inputs: 4,
} as const;

/** struct EventList */
export const EventList = {
  size: 8,
  first: 0,
  last: 4,
} as const;

/** struct FastopenCacheState */
export const FastopenCacheState = {
  size: 12,
  rested_at: 0,
  rests: 8,
} as const;

/** struct FastopenKeyState */
export const FastopenKeyState = {
  size: 36,
  key_0: 0,
  key_1: 8,
  key_2: 16,
  key_3: 24,
  keys: 32,
} as const;

/** struct FateState */
export const FateState = {
  size: 16,
  last: 0,
  more: 4,
  dropped: 8,
} as const;

/** struct FilterHooks */
export const FilterHooks = {
  size: 16,
  ctl: 0,
  run: 4,
  drop: 8,
  pad: 12,
} as const;

/** struct FoQueue */
export const FoQueue = {
  size: 88,
  key_0: 0,
  key_1: 8,
  key_2: 16,
  key_3: 24,
  resets_0: 32,
  resets_1: 40,
  resets_2: 48,
  resets_3: 56,
  keys: 64,
  limit: 68,
  pending: 72,
  resets: 76,
  slot: 80,
  refs: 84,
} as const;

/** struct GroFlow */
export const GroFlow = {
  size: 40,
  addrs: 0,
  head: 8,
  tail: 12,
  ports: 16,
  next: 20,
  segs: 24,
  seg_size: 28,
  hlen: 32,
  pad: 36,
} as const;

/** struct GroState */
export const GroState = {
  size: 8,
  held: 0,
  last: 4,
} as const;

/** struct Half */
export const Half = {
  size: 118,
  timer_0: 0,
  timer_1: 8,
  timer_2: 16,
  timer_3: 24,
  laddr_hi: 32,
  laddr_lo: 40,
  faddr_hi: 48,
  faddr_lo: 56,
  sent_at: 64,
  next: 72,
  listener: 76,
  irs: 80,
  iss: 84,
  ts_recent: 88,
  ts_offset: 92,
  wnd: 96,
  flags: 100,
  lport: 104,
  fport: 106,
  peer_mss: 108,
  rcv_mss: 110,
  snd_scale: 112,
  rcv_scale: 113,
  sends: 114,
  repeats: 115,
  fo: 116,
  acked: 117,
} as const;

/** struct Hashed */
export const Hashed = {
  size: 32,
  a: 0,
  b: 8,
  c: 16,
  known: 24,
} as const;

/** struct HostQueue */
export const HostQueue = {
  size: 16,
  ring: 0,
  mask: 4,
  head: 8,
  tail: 12,
} as const;

/** struct Hystart */
export const Hystart = {
  size: 24,
  last_us: 0,
  now_us: 4,
  baseline_us: 8,
  window_end: 12,
  phase: 16,
  samples: 20,
  rounds: 22,
} as const;

/** struct IfConfig */
export const IfConfig = {
  size: 48,
  name0: 0,
  name1: 8,
  medium: 16,
  mtu: 20,
  caps: 24,
  flags: 28,
  hwaddr_hi: 32,
  hwaddr_lo: 36,
  ifindex: 40,
  pad: 44,
} as const;

/** struct IfQueueState */
export const IfQueueState = {
  size: 4,
  waiting: 0,
} as const;

/** struct IfReq */
export const IfReq = {
  size: 40,
  hwaddr_hi: 0,
  hwaddr_lo: 4,
  ifindex: 8,
  flags: 12,
  mtu: 16,
  addr: 20,
  mask: 24,
  broadcast: 28,
  dst: 32,
  i: 36,
} as const;

/** struct IfState */
export const IfState = {
  size: 8,
  gone: 0,
  pad: 4,
} as const;

/** struct IfStats */
export const IfStats = {
  size: 120,
  name0: 0,
  name1: 8,
  ipackets: 16,
  opackets: 24,
  ibytes: 32,
  obytes: 40,
  idrops: 48,
  odrops: 56,
  ierrors: 64,
  oerrors: 72,
  imcasts: 80,
  omcasts: 88,
  ifindex: 96,
  flags: 100,
  mtu: 104,
  medium: 108,
  queued: 112,
  pad: 116,
} as const;

/** struct Ifaddr */
export const Ifaddr = {
  size: 80,
  timer_0: 0,
  timer_1: 8,
  timer_2: 16,
  timer_3: 24,
  next: 32,
  ifp: 36,
  addr: 40,
  mask: 44,
  broadcast: 48,
  dst: 52,
  flags: 56,
  conflicts: 60,
  conflict_at: 64,
  step: 72,
  pad: 76,
} as const;

/** struct Ifmulti */
export const Ifmulti = {
  size: 64,
  timer_0: 0,
  timer_1: 8,
  timer_2: 16,
  timer_3: 24,
  next: 32,
  ifp: 36,
  group: 40,
  refs: 44,
  members: 48,
  source: 52,
  last_reporter: 56,
  exclude: 57,
  due: 58,
  repeats: 59,
  pad2: 60,
} as const;

/** struct Ifnet */
export const Ifnet = {
  size: 248,
  ipackets: 0,
  opackets: 8,
  ibytes: 16,
  obytes: 24,
  idrops: 32,
  odrops: 40,
  ierrors: 48,
  oerrors: 56,
  imcasts: 64,
  omcasts: 72,
  index: 80,
  flags: 84,
  medium: 88,
  mtu: 92,
  caps: 96,
  hdrlen: 100,
  hwaddr_hi: 104,
  hwaddr_lo: 108,
  addrs: 112,
  multis: 116,
  sndq: 120,
  snd_head: 124,
  snd_tail: 128,
  snd_lent: 132,
  txdesc: 136,
  slots: 140,
  slot_count: 144,
  snd_bytes: 148,
  snd_ready: 152,
  rxdesc: 156,
  rxmbuf: 160,
  rx_ready: 164,
  rx_spent: 168,
  rx_lent: 172,
  blocked: 176,
  blocked_tail: 180,
  output: 184,
  name0: 192,
  name1: 200,
  attached: 208,
  igmp_version: 212,
  igmp_v1_until: 216,
  igmp_v2_until: 224,
  igmp_older_us: 232,
  rp_filter: 240,
  proxy_arp: 241,
  send_redirects: 242,
  accept_redirects: 243,
  igmp_robustness: 244,
} as const;

/** struct InetHooks */
export const InetHooks = {
  size: 8,
  raw: 0,
  pad: 4,
} as const;

/** struct Inpcb */
export const Inpcb = {
  size: 100,
  laddr_hi: 0,
  laddr_lo: 8,
  faddr_hi: 16,
  faddr_lo: 24,
  so: 32,
  ppcb: 36,
  conn_next: 40,
  conn_prev: 44,
  lport: 48,
  fport: 50,
  port_next: 52,
  port_prev: 56,
  list_next: 60,
  list_prev: 64,
  info: 68,
  route: 72,
  route_gen: 76,
  flags: 80,
  memberships: 84,
  mcast_ifindex: 88,
  protocol: 90,
  ttl: 91,
  tos: 92,
  mcast_ttl: 93,
  mcast_loop: 94,
  conn_hashed: 95,
  port_hashed: 96,
  pmtud: 97,
  pad2: 98,
} as const;

/** struct InpcbInfo */
export const InpcbInfo = {
  size: 48,
  conn: 0,
  port: 4,
  peers: 8,
  mask: 12,
  port_mask: 16,
  first: 20,
  count: 24,
  protocol: 28,
  next_port: 32,
  conns: 36,
  last: 40,
  before: 44,
} as const;

/** struct InputDataState */
export const InputDataState = {
  size: 4,
  now: 0,
} as const;

/** struct Ipq */
export const Ipq = {
  size: 80,
  timer_0: 0,
  timer_1: 8,
  timer_2: 16,
  timer_3: 24,
  chain: 32,
  newer: 36,
  older: 40,
  frags: 44,
  src: 48,
  dst: 52,
  key: 56,
  count: 60,
  storage: 64,
  have: 68,
  total: 72,
  ecn: 76,
  dead: 77,
  pad: 78,
} as const;

/** struct IpqState */
export const IpqState = {
  size: 20,
  buckets: 0,
  newest: 4,
  oldest: 8,
  fn: 12,
  storage: 16,
} as const;

/** struct Learned */
export const Learned = {
  size: 16,
  until: 0,
  dst: 8,
  mtu: 12,
} as const;

/** struct ListState */
export const ListState = {
  size: 16,
  high: 0,
  base: 4,
  lo: 8,
  attachments: 12,
} as const;

/** struct LocalInfo */
export const LocalInfo = {
  size: 28,
  count: 0,
  creds: 4,
  pid: 8,
  uid: 12,
  gid: 16,
  wanted: 20,
  cut: 24,
} as const;

/** struct Mbuf */
export const Mbuf = {
  size: 56,
  next: 0,
  nextpkt: 4,
  data: 8,
  len: 12,
  buf: 16,
  cap: 20,
  type: 24,
  cls: 25,
  flags: 26,
  pktlen: 28,
  rcvif: 32,
  l3off: 34,
  aux: 36,
  aux2: 40,
  segs: 44,
  seg_size: 46,
  tstamp: 48,
} as const;

/** struct MbufState */
export const MbufState = {
  size: 8,
  drain: 0,
  draining: 4,
} as const;

/** struct Membership */
export const Membership = {
  size: 32,
  next: 0,
  group: 4,
  ifindex: 8,
  attachment: 12,
  sources: 16,
  include: 20,
  peer: 24,
  pad: 28,
} as const;

/** struct Metric */
export const Metric = {
  size: 102,
  laddr_hi: 0,
  laddr_lo: 8,
  faddr_hi: 16,
  faddr_lo: 24,
  saved_at: 32,
  cookie_0: 40,
  cookie_1: 48,
  failed_at: 56,
  next: 64,
  newer: 68,
  older: 72,
  srtt_us: 76,
  rttvar_us: 80,
  ssthresh: 84,
  cwnd: 88,
  reordering: 92,
  mss: 96,
  cookie_len: 98,
  cookie_exp: 99,
  try_exp: 100,
  failures: 101,
} as const;

/** struct MetricsState */
export const MetricsState = {
  size: 16,
  table: 0,
  mask: 4,
  oldest: 8,
  newest: 12,
} as const;

/** struct MtuState */
export const MtuState = {
  size: 8,
  until: 0,
} as const;

/** struct MultiState */
export const MultiState = {
  size: 16,
  joined: 0,
  left: 4,
  changed: 8,
  pad: 12,
} as const;

/** struct NetSettings */
export const NetSettings = {
  size: 92,
  forwarding: 0,
  ttl: 4,
  reass_ms: 8,
  port_first: 12,
  port_last: 16,
  pmtu_min: 20,
  pmtu_life_s: 24,
  no_pmtu_disc: 28,
  icmp_errors_per_s: 32,
  icmp_errors_burst: 36,
  icmp_echo_per_s: 40,
  arp_retry_ms: 44,
  arp_tries: 48,
  arp_reachable_ms: 52,
  rcvbuf: 56,
  sndbuf: 60,
  somaxconn: 64,
  gro: 68,
  rp_filter: 72,
  proxy_arp: 76,
  send_redirects: 80,
  accept_redirects: 84,
  tcp_limit_output_bytes: 88,
} as const;

/** struct Options */
export const Options = {
  size: 36,
  present: 0,
  mss: 4,
  wscale: 8,
  ts_val: 12,
  ts_ecr: 16,
  sack_n: 20,
  sack: 24,
  cookie: 28,
  cookie_len: 32,
} as const;

/** struct OutputPlan */
export const OutputPlan = {
  size: 28,
  lost: 0,
  seq: 4,
  len: 8,
  flags: 12,
  limited: 16,
  data: 20,
  full: 24,
} as const;

/** struct PanicState */
export const PanicState = {
  size: 16,
  msg: 0,
  file: 4,
  line: 8,
  column: 12,
} as const;

/** struct ParkState */
export const ParkState = {
  size: 4,
  known: 0,
} as const;

/** struct Parked */
export const Parked = {
  size: 8,
  next: 0,
  alarm: 4,
} as const;

/** struct Pkt */
export const Pkt = {
  size: 68,
  src_hi: 0,
  src_lo: 8,
  dst_hi: 16,
  dst_lo: 24,
  ifp: 32,
  src4: 36,
  dst4: 40,
  hlen: 44,
  len: 48,
  ttl: 52,
  tos: 56,
  protocol: 60,
  flags: 64,
} as const;

/** struct Place */
export const Place = {
  size: 16,
  dst: 0,
  generation: 4,
  rt: 8,
  pad: 12,
} as const;

/** struct Pool */
export const Pool = {
  size: 40,
  base: 0,
  item: 4,
  limit: 8,
  high: 12,
  free: 16,
  used: 20,
  peak: 24,
  denied: 28,
  next: 32,
  marks: 36,
} as const;

/** struct PoolState */
export const PoolState = {
  size: 4,
  first: 0,
} as const;

/** struct Protosw */
export const Protosw = {
  size: 52,
  next: 0,
  family: 4,
  type: 6,
  protocol: 8,
  flags: 10,
  input: 12,
  ctlinput: 16,
  ctloutput: 20,
  usrreq: 24,
  init: 28,
  fasttimo: 32,
  slowtimo: 36,
  drain: 40,
  sockets: 44,
  slot: 48,
} as const;

/** struct RandState */
export const RandState = {
  size: 40,
  key0: 0,
  key1: 8,
  counter: 16,
  s0: 24,
  s1: 28,
  s2: 32,
  s3: 36,
} as const;

/** struct RecvInfo */
export const RecvInfo = {
  size: 32,
  flags: 0,
  length: 4,
  dst_set: 8,
  dst: 12,
  data: 16,
  pad: 20,
  tstamp: 24,
} as const;

/** struct Region */
export const Region = {
  size: 16,
  next: 0,
  bytes: 4,
  owner: 8,
  pad: 12,
} as const;

/** struct RouteEventState */
export const RouteEventState = {
  size: 8,
  fn: 0,
  pad: 4,
} as const;

/** struct RouteState */
export const RouteState = {
  size: 52,
  lengths: 0,
  first: 8,
  last: 12,
  places: 16,
  marks: 20,
  bits: 24,
  cache: 28,
  generation: 32,
  sourced: 36,
  walk: 40,
  walked: 44,
  walk_generation: 48,
} as const;

/** struct RtReq */
export const RtReq = {
  size: 56,
  use: 0,
  dst: 8,
  mask: 12,
  gateway: 16,
  flags: 20,
  ifindex: 24,
  mtu: 28,
  metric: 32,
  mss: 36,
  from: 40,
  from_mask: 44,
  src: 48,
  i: 52,
} as const;

/** struct Rtentry */
export const Rtentry = {
  size: 68,
  use: 0,
  next: 8,
  all_next: 12,
  all_prev: 16,
  ifp: 20,
  ifa: 24,
  dst: 28,
  mask: 32,
  gateway: 36,
  flags: 40,
  mtu: 44,
  metric: 48,
  mss: 52,
  from: 56,
  from_mask: 60,
  paths: 64,
} as const;

/** struct SeekState */
export const SeekState = {
  size: 4,
  off: 0,
} as const;

/** struct Seg */
export const Seg = {
  size: 92,
  m: 0,
  th: 4,
  off: 8,
  seq: 12,
  ack: 16,
  wnd: 20,
  up: 24,
  len: 28,
  flags: 32,
  opts: 36,
  mss: 40,
  wscale: 44,
  ts_val: 48,
  ts_ecr: 52,
  sack_n: 56,
  sack: 60,
  cookie: 64,
  cookie_len: 68,
  acked: 72,
  ecn: 76,
  segs: 80,
  size_each: 84,
  reopen: 88,
} as const;

/** struct Sent */
export const Sent = {
  size: 40,
  at: 0,
  next: 8,
  prev: 12,
  later: 16,
  earlier: 20,
  start: 24,
  end: 28,
  flags: 32,
  sends: 36,
} as const;

/** struct SipHashed */
export const SipHashed = {
  size: 40,
  a: 0,
  b: 8,
  c: 16,
  d: 24,
  known: 32,
} as const;

/** struct SockAddr */
export const SockAddr = {
  size: 24,
  addr_hi: 0,
  addr_lo: 8,
  scope: 16,
  family: 20,
  port: 22,
} as const;

/** struct Sockbuf */
export const Sockbuf = {
  size: 48,
  cc: 0,
  hiwat: 4,
  mbcnt: 8,
  mbmax: 12,
  lowat: 16,
  flags: 20,
  mb: 24,
  mbtail: 28,
  lastrecord: 32,
  sndptr: 36,
  sndoff: 40,
  filter: 44,
} as const;

/** struct Socket */
export const Socket = {
  size: 200,
  sndtimeo_us: 0,
  rcvtimeo_us: 8,
  rcv_cc: 16,
  rcv_1: 20,
  rcv_2: 24,
  rcv_3: 28,
  rcv_4: 32,
  rcv_5: 36,
  rcv_6: 40,
  rcv_7: 44,
  rcv_8: 48,
  rcv_9: 52,
  rcv_10: 56,
  rcv_11: 60,
  snd_cc: 64,
  snd_1: 68,
  snd_2: 72,
  snd_3: 76,
  snd_4: 80,
  snd_5: 84,
  snd_6: 88,
  snd_7: 92,
  snd_8: 96,
  snd_9: 100,
  snd_10: 104,
  snd_11: 108,
  proto: 112,
  pcb: 116,
  options: 120,
  state: 124,
  linger_s: 128,
  error: 132,
  head: 136,
  q0: 140,
  q0tail: 144,
  q: 148,
  qtail: 152,
  qnext: 156,
  q0len: 160,
  qlen: 164,
  qlimit: 168,
  oobmark: 172,
  evnext: 176,
  evpending: 180,
  evwant: 182,
  fd: 184,
  type: 188,
  family: 190,
  inuse: 192,
  reserved: 196,
} as const;

/** struct SyncacheState */
export const SyncacheState = {
  size: 8,
  table: 0,
  mask: 4,
} as const;

/** struct SyncookieState */
export const SyncookieState = {
  size: 8,
  sent_at: 0,
} as const;

/** struct TapState */
export const TapState = {
  size: 8,
  fn: 0,
  pad: 4,
} as const;

/** struct Tcb */
export const Tcb = {
  size: 984,
  d_rexmt: 0,
  d_persist: 8,
  d_keep: 16,
  d_2msl: 24,
  d_delack: 32,
  d_probe: 40,
  d_reorder: 48,
  d_pace: 56,
  d_cork: 64,
  timer_0: 72,
  timer_1: 80,
  timer_2: 88,
  timer_3: 96,
  rtt_at: 104,
  sent_at: 112,
  rcvd_at: 120,
  progress_at: 128,
  ts_recent_at: 136,
  rack_at: 144,
  pace_at: 152,
  pacing_rate: 160,
  max_pacing_rate: 168,
  busy_at: 176,
  busy_us: 184,
  rwnd_limited_us: 192,
  sndbuf_limited_us: 200,
  mtu_probe_at: 208,
  blackhole_at: 216,
  rcv_space_at: 224,
  rcv_rtt_at: 232,
  invalid_at: 240,
  ack_at: 248,
  data_at: 256,
  min_rtt_at: 264,
  undo_at: 272,
  bytes_sent: 280,
  bytes_resent: 288,
  bytes_delivered: 296,
  bytes_received: 304,
  inp: 312,
  segq: 316,
  sent_first: 320,
  sent_last: 324,
  sent_hint: 328,
  lost_hint: 332,
  rack_first: 336,
  rack_last: 340,
  fo_queue: 344,
  out_next: 348,
  out_prev: 352,
  live_next: 356,
  live_prev: 360,
  blk_next: 364,
  blk_prev: 368,
  blk_fn: 372,
  blk_arg: 376,
  blk_ifindex: 380,
  snd_una: 384,
  snd_nxt: 388,
  snd_wnd: 392,
  snd_wl1: 396,
  snd_wl2: 400,
  snd_up: 404,
  iss: 408,
  rcv_nxt: 412,
  rcv_adv: 416,
  rcv_up: 420,
  irs: 424,
  last_ack_sent: 428,
  max_sndwnd: 432,
  max_rcvwnd: 436,
  cwnd: 440,
  ssthresh: 444,
  recover: 448,
  sacked_bytes: 452,
  bytes_acked: 456,
  prior_cwnd: 460,
  prior_ssthresh: 464,
  cc_0: 472,
  cc_1: 480,
  cc_2: 488,
  cc_3: 496,
  cc_4: 504,
  cc_5: 512,
  cc_6: 520,
  cc_7: 528,
  cc_8: 536,
  cc_9: 544,
  cc_10: 552,
  cc_11: 560,
  lost_bytes: 568,
  lost_todo: 572,
  sack_seen_0: 576,
  sack_seen_1: 580,
  sack_seen_2: 584,
  sack_seen_3: 588,
  sack_seen_4: 592,
  sack_seen_5: 596,
  sack_seen_6: 600,
  sack_seen_7: 604,
  resent_bytes: 608,
  sent_count: 612,
  sacked_segments: 616,
  prr_delivered: 620,
  prr_out: 624,
  prr_flight: 628,
  undo_una: 632,
  undo_resent: 636,
  rack_end: 640,
  rack_rtt_us: 644,
  rack_fack: 648,
  rack_round: 652,
  tlp_end: 656,
  limited_seq: 660,
  max_out: 664,
  delivered: 668,
  delivered_ce: 672,
  dsack_dups: 676,
  segs_in: 680,
  segs_out: 684,
  data_segs_in: 688,
  data_segs_out: 692,
  mdev_us: 696,
  mdev_max_us: 700,
  rtt_round: 704,
  rcv_rtt_us: 708,
  rcv_rtt_seq: 712,
  rcv_space: 716,
  rcv_space_seq: 720,
  rcv_mss_seen: 724,
  ato_us: 728,
  dsack_start: 732,
  dsack_end: 736,
  notsent_lowat: 740,
  window_clamp: 744,
  icmp_seq: 748,
  mtu_probe_start: 752,
  mtu_probe_end: 756,
  push_0: 760,
  push_1: 764,
  push_2: 768,
  push_3: 772,
  push_4: 776,
  push_5: 780,
  push_6: 784,
  push_7: 788,
  pushed: 792,
  push_chunk: 796,
  snd_small: 800,
  tfo: 804,
  syn_data: 808,
  srtt_us: 812,
  rttvar_us: 816,
  rtt_last_us: 820,
  rtt_min_us: 824,
  rto_us: 828,
  ts_recent: 832,
  ts_offset: 836,
  segq_bytes: 840,
  segq_count: 844,
  segq_mbcnt: 848,
  sack_recent: 852,
  sack_recent_1: 856,
  sack_recent_2: 860,
  sack_recent_3: 864,
  sack_recent_4: 868,
  sack_recent_5: 872,
  rexmt_segments: 876,
  rexmt_timeouts: 880,
  ooo_segments: 884,
  dupacks_total: 888,
  user_timeout_ms: 892,
  keep_idle_ms: 896,
  keep_intvl_ms: 900,
  keep_init_ms: 904,
  flags: 908,
  snd_mss: 912,
  rcv_mss: 914,
  peer_mss: 916,
  user_mss: 918,
  mtu_low: 920,
  mtu_high: 922,
  size_acked: 924,
  icmp_mtu: 926,
  mtu_probe: 928,
  linger2_s: 930,
  rcv_seg_last: 932,
  snd_scale: 934,
  rcv_scale: 935,
  req_scale: 936,
  dupacks: 937,
  backoff: 938,
  keep_probes: 939,
  keep_cnt: 940,
  cc_algo: 941,
  oob_byte: 942,
  oob_have: 943,
  out_listed: 944,
  rack_mult: 945,
  rack_persist: 946,
  reordering: 947,
  reord_degree: 948,
  undo: 949,
  rack_in_round: 950,
  cwnd_limited: 951,
  quick: 952,
  pingpong: 953,
  ack_pushed: 954,
  syn_retries: 955,
  tfo_option: 956,
  ecn: 957,
  push_count: 958,
  mtu_fails: 959,
  chrono: 960,
  defer: 961,
  mtu_search: 962,
  tries: 963,
  state: 964,
  ca_state: 968,
  frto: 972,
  tlp: 976,
  soft_error: 980,
} as const;

/** struct TcbState */
export const TcbState = {
  size: 44,
  look_at: 0,
  idle_us: 8,
  out_first: 16,
  out_last: 20,
  live_first: 24,
  live_last: 28,
  live_least: 32,
  parked: 36,
  fire: 40,
} as const;

/** struct TcpInfo */
export const TcpInfo = {
  size: 240,
  snd_una_rel: 0,
  snd_nxt_rel: 4,
  rcv_nxt_rel: 8,
  state: 12,
  options: 16,
  snd_wscale: 20,
  rcv_wscale: 24,
  rto_us: 28,
  srtt_us: 32,
  rttvar_us: 36,
  rtt_min_us: 40,
  snd_mss: 44,
  rcv_mss: 48,
  advmss: 52,
  pmtu: 56,
  snd_wnd: 60,
  rcv_wnd: 64,
  snd_cwnd: 68,
  snd_ssthresh: 72,
  ca_state: 76,
  rexmt_segments: 80,
  rexmt_timeouts: 84,
  retransmits: 88,
  probes: 92,
  backoff: 96,
  out_of_order: 100,
  dupacks: 104,
  dsack_dups: 108,
  unacked_bytes: 112,
  sacked_bytes: 116,
  lost_bytes: 120,
  unacked: 124,
  sacked: 128,
  lost: 132,
  retrans: 136,
  delivered: 140,
  delivered_ce: 144,
  reordering: 148,
  reord_seen: 152,
  bytes_sent: 156,
  bytes_retrans: 160,
  bytes_acked: 164,
  bytes_received: 168,
  segs_in: 172,
  segs_out: 176,
  data_segs_in: 180,
  data_segs_out: 184,
  notsent_bytes: 188,
  last_data_sent_ms: 192,
  last_data_recv_ms: 196,
  last_ack_recv_ms: 200,
  rcv_rtt_us: 204,
  rcv_space: 208,
  rcv_ssthresh: 212,
  busy_time_us: 216,
  rwnd_limited_us: 220,
  sndbuf_limited_us: 224,
  pacing_rate: 228,
  congestion: 232,
  soft_error: 236,
} as const;

/** struct TcpSettings */
export const TcpSettings = {
  size: 328,
  rto_initial_us: 0,
  rto_min_us: 4,
  rto_max_us: 8,
  delack_us: 12,
  msl_us: 16,
  fin_wait_2_us: 20,
  keep_idle_ms: 24,
  keep_intvl_ms: 28,
  keep_cnt: 32,
  persist_min_us: 36,
  persist_max_us: 40,
  syn_retries: 44,
  synack_retries: 48,
  data_retries: 52,
  initial_cwnd_segments: 56,
  sndbuf: 60,
  rcvbuf: 64,
  mss_default: 68,
  challenge_per_s: 72,
  timestamps: 76,
  sack: 80,
  window_scale: 84,
  congestion: 88,
  rto_var_min_us: 92,
  delack_min_us: 96,
  delack_max_us: 100,
  quickacks: 104,
  dsack: 108,
  recovery: 112,
  early_retrans: 116,
  frto: 120,
  undo: 124,
  reordering: 128,
  slow_start_after_idle: 132,
  ecn: 136,
  ecn_fallback: 140,
  ecn_beta: 144,
  fastopen: 148,
  fastopen_blackhole_s: 152,
  syncookies: 156,
  max_syn_backlog: 160,
  abort_on_overflow: 164,
  notsent_lowat: 168,
  mtu_probing: 172,
  base_mss: 176,
  mtu_probe_floor: 180,
  probe_interval_s: 184,
  icmp_mtu_check: 188,
  probe_threshold: 192,
  pacing: 196,
  pacing_ss_ratio: 200,
  pacing_ca_ratio: 204,
  hystart: 208,
  abc_l: 212,
  rcvbuf_min: 216,
  sndbuf_min: 220,
  rcvbuf_max: 224,
  sndbuf_max: 228,
  moderate_rcvbuf: 232,
  moderate_sndbuf: 236,
  no_metrics_save: 240,
  min_rtt_window_s: 244,
  invalid_ratelimit_ms: 248,
  persist_probe: 252,
  push_writes: 256,
  nagle: 260,
  data_retries_soft: 264,
  orphan_retries: 268,
  tw_reuse: 272,
  syn_linear: 276,
  rto_slop_us: 280,
  keep_init_ms: 284,
  mss_min: 288,
  stdurg: 292,
  always_keepalive: 296,
  blackhole: 300,
  drop_synfin: 304,
  icmp_may_rst: 308,
  tolerate_missing_ts: 312,
  insecure_rst: 316,
  no_ssthresh_save: 320,
  fastlo: 324,
} as const;

/** struct Timer */
export const Timer = {
  size: 32,
  when: 0,
  slot_when: 8,
  next: 16,
  prev: 20,
  fn: 24,
  arg: 28,
} as const;

/** struct TimewaitState */
export const TimewaitState = {
  size: 16,
  table: 0,
  mask: 4,
  oldest: 8,
  newest: 12,
} as const;

/** struct TokenBucket */
export const TokenBucket = {
  size: 8,
  full_at: 0,
} as const;

/** struct Tw */
export const Tw = {
  size: 80,
  laddr_hi: 0,
  laddr_lo: 8,
  faddr_hi: 16,
  faddr_lo: 24,
  until: 32,
  next: 40,
  newer: 44,
  older: 48,
  snd_nxt: 52,
  rcv_nxt: 56,
  ts_recent: 60,
  ts_offset: 64,
  lport: 68,
  fport: 70,
  ts: 72,
  wnd: 74,
  ttl: 76,
  tos: 77,
  bucket: 78,
} as const;

/** struct TypesState */
export const TypesState = {
  size: 8,
  count: 0,
  pad: 4,
} as const;

/** struct VnetInputState */
export const VnetInputState = {
  size: 32,
  ifp: 0,
  frame: 4,
  len: 8,
  start: 12,
  hlen: 16,
  end: 20,
  flags: 24,
  seg_size: 28,
} as const;

/** struct Way */
export const Way = {
  size: 24,
  ifp: 0,
  ifa: 4,
  nexthop: 8,
  mtu: 12,
  flags: 16,
  swallow: 20,
} as const;

/** struct WheelState */
export const WheelState = {
  size: 44,
  base: 0,
  limit: 8,
  levels: 16,
  running: 20,
  announced: 24,
  count: 32,
  sooner: 36,
  budget: 40,
} as const;
