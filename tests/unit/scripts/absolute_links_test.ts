import { assertEquals } from "@std/assert";
import { withAbsoluteLinks } from "../../../scripts/absolute_links.ts";

const REPOSITORY = "https://example.com/app";

Deno.test("withAbsoluteLinks() changes relative links and images, and no others", () => {
  const links: [string, string][] = [
    ["[a](docs/a.md)", `[a](${REPOSITORY}/blob/v1/docs/a.md)`],
    ["[a](docs/a.md#b)", `[a](${REPOSITORY}/blob/v1/docs/a.md#b)`],
    ["![a](chart.svg)", `![a](${REPOSITORY}/raw/v1/chart.svg)`],
    ["[a](https://remix.run)", "[a](https://remix.run)"],
    ["[a](#b)", "[a](#b)"],
    ["`[a]` (b)", "`[a]` (b)"],
  ];
  for (const [markdown, expected] of links) {
    const text = `before ${markdown} after`;
    assertEquals(
      withAbsoluteLinks(text, REPOSITORY, "v1"),
      `before ${expected} after`,
    );
  }
});
