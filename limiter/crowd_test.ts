import { assert, assertEquals } from "@std/assert";
import {
  type Crowd,
  isOutage,
  learnCrowd as learn,
  NO_CROWD,
} from "./crowd.ts";

let sent = 0;

/** One answer to a request that was sent after everything before. */
function learnCrowd(
  crowd: Crowd,
  failed: boolean,
  asked: boolean,
  size: number,
): Crowd {
  const number = ++sent;
  return learn(crowd, failed, asked, { size, number, sent });
}

/** Answers to requests of the given sizes that were all sent at once. */
function answers(
  crowd: Crowd,
  failed: boolean,
  sizes: number[],
  asked = false,
): Crowd {
  const before = sent;
  sent += sizes.length;
  return sizes.reduce((crowd, size, index) => {
    const number = before + index + 1;
    return learn(crowd, failed, asked, { size, number, sent });
  }, crowd);
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

Deno.test("learnCrowd() takes single 503s for nothing", () => {
  let crowd = NO_CROWD;
  for (let answer = 0; answer < 200; answer++) {
    crowd = learnCrowd(crowd, answer % 3 === 0, false, 32);
  }
  assertEquals(crowd.ceiling, Infinity);
});

Deno.test("learnCrowd() finds the ceiling when half of the answers are 503", () => {
  const seven = answers(NO_CROWD, true, range(11, 17));
  assertEquals(seven.ceiling, Infinity);
  assertEquals(learnCrowd(seven, true, false, 18).ceiling, 10);
});

Deno.test("learnCrowd() tries one more after a while, and is more patient after each refusal", () => {
  let crowd = answers(NO_CROWD, true, range(11, 30));
  crowd = answers(crowd, false, range(1, 10));
  assertEquals(crowd.ceiling, 11);
  const steps: number[] = [];
  for (let round = 0; round < 10; round++) {
    crowd = learnCrowd(crowd, true, false, crowd.ceiling);
    assertEquals(crowd.ceiling, 10);
    let step = 0;
    for (; crowd.ceiling === 10; step++) {
      crowd = learnCrowd(crowd, false, false, 10);
    }
    steps.push(step);
  }
  assertEquals(steps, [2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
});

Deno.test("learnCrowd() halves the ceiling while half of the answers still are 503", () => {
  let crowd = answers(NO_CROWD, true, Array(20).fill(200));
  assertEquals(crowd.ceiling, 199);
  const ceilings: number[] = [];
  for (let round = 0; round < 3; round++) {
    crowd = answers(crowd, true, Array(20).fill(crowd.ceiling));
    ceilings.push(crowd.ceiling);
  }
  assertEquals(ceilings, [99, 49, 24]);
});

Deno.test("learnCrowd() takes a 503 far below the ceiling for a single one", () => {
  const crowd = answers(NO_CROWD, true, range(41, 60));
  assertEquals(answers(crowd, false, Array(16).fill(5)).ceiling, 40);
  const quiet = answers(crowd, false, Array(16).fill(5));
  assertEquals(learnCrowd(quiet, true, false, 20).ceiling, 40);
  assertEquals(learnCrowd(quiet, true, false, 21).ceiling, 20);
});

Deno.test("learnCrowd() does not count answers below the ceiling", () => {
  const crowd = answers(NO_CROWD, true, range(11, 30));
  assertEquals(answers(crowd, false, Array(100).fill(9)).ceiling, 10);
});

Deno.test("learnCrowd() lifts the ceiling for a server that is down", () => {
  let crowd = answers(NO_CROWD, true, range(5, 30));
  assertEquals(crowd.ceiling, 4);
  crowd = learnCrowd(crowd, true, false, 1);
  assertEquals(crowd.ceiling, Infinity);
  crowd = answers(crowd, true, range(5, 30));
  assertEquals(crowd.ceiling, Infinity);
  crowd = answers(crowd, false, Array(16).fill(3));
  assertEquals(answers(crowd, true, range(5, 30)).ceiling, 4);
});

Deno.test("isOutage() wants the last 16 answers to be 503 with Retry-After", () => {
  const fifteen = answers(NO_CROWD, true, Array(15).fill(1), true);
  assert(!isOutage(fifteen));
  const sixteen = learnCrowd(fifteen, true, true, 1);
  assert(isOutage(sixteen));
  assert(!isOutage(learnCrowd(sixteen, true, false, 1)));
  assert(!isOutage(learnCrowd(sixteen, false, false, 1)));
});
