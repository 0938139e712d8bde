import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { CasTokens } from "../../../src/client/cas_tokens.ts";

const LARGEST = 999_999_999_999_999;

Deno.test("versionOf() returns the version of a token of the same connection", () => {
  for (let tries = 0; tries < 1_000; tries++) {
    const tokens = new CasTokens();
    for (const version of [1, 2, 2 ** 31, LARGEST]) {
      const token = tokens.tokenOf(version);
      assert(Number.isSafeInteger(token));
      assertEquals(tokens.versionOf(token), version);
    }
  }
});

Deno.test("versionOf() returns what no item has when the connection is another one", () => {
  const tokens = new CasTokens();
  const seen = new Set<unknown>();
  for (let tries = 0; tries < 1_000; tries++) {
    const token = tokens.tokenOf(tries + 1);
    tokens.renew();
    const version = tokens.versionOf(token) as number;
    assert(Number.isInteger(version) && version > 0);
    assertNotEquals(version, tries + 1);
    seen.add(version);
  }
  assertEquals(seen.size, 1_000);
});

Deno.test("versionOf() leaves a version as it is", () => {
  const tokens = new CasTokens();
  for (const version of [1, LARGEST]) {
    assertEquals(tokens.versionOf(version), version);
    tokens.renew();
  }
});

Deno.test("tokenOf() leaves no version, and one that is text, as it is", () => {
  const tokens = new CasTokens();
  assertEquals(tokens.tokenOf(0), 0);
  assertEquals(tokens.tokenOf("18446744073709551615"), "18446744073709551615");
  assertEquals(
    tokens.versionOf("18446744073709551615"),
    "18446744073709551615",
  );
});
