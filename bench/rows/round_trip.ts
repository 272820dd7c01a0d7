/**
 * Round trips of one byte: how long a message takes through all layers, there and back.
 *
 * @module
 */

import { connectKernel } from "../kernel.ts";
import { closeAll, connectStacks, onePair, type StackPair, twoHosts } from "../stacks.ts";
import { type Row, seconds, type Subject } from "../row.ts";

const ROUND_TRIPS = 20_000;

async function roundTripsOver(pair: StackPair): Promise<Subject> {
  const [here, there] = await connectStacks(pair);
  const [near, far] = [pair.left.sys, pair.right.sys];
  const ask = async () => {
    const byte = new Uint8Array(1);
    for (let i = 0; i < ROUND_TRIPS; i++) {
      await near.send(here, byte);
      await near.recv(here, byte);
    }
  };
  const answer = async () => {
    const byte = new Uint8Array(1);
    for (let i = 0; i < ROUND_TRIPS; i++) {
      await far.recv(there, byte);
      await far.send(there, byte);
    }
  };
  return {
    measure: async () => ROUND_TRIPS / await seconds(() => Promise.all([ask(), answer()])),
    close: () => closeAll(pair),
  };
}

async function roundTripsKernel(): Promise<Subject> {
  const [here, there] = await connectKernel();
  const ask = async () => {
    const byte = new Uint8Array(1);
    for (let i = 0; i < ROUND_TRIPS; i++) {
      await here.write(byte);
      await here.read(byte);
    }
  };
  const answer = async () => {
    const byte = new Uint8Array(1);
    for (let i = 0; i < ROUND_TRIPS; i++) {
      await there.read(byte);
      await there.write(byte);
    }
  };
  return {
    measure: async () => ROUND_TRIPS / await seconds(() => Promise.all([ask(), answer()])),
    close() {
      here.close();
      there.close();
    },
  };
}

const reference = { name: "kernel TCP, loopback", start: roundTripsKernel };

/** Between two stacks. */
export const roundTripPipe: Row = {
  name: "tcp-roundtrip-pipe",
  unit: "1/s",
  about: "one byte there and back, two stacks on the pipe",
  ours: async () => await roundTripsOver(await twoHosts(1500)),
  reference,
};

/** Inside one stack. */
export const roundTripLoopback: Row = {
  name: "tcp-roundtrip-loopback",
  unit: "1/s",
  about: "one byte there and back over the loopback interface of one stack",
  ours: async () => await roundTripsOver(await onePair()),
  reference,
};
