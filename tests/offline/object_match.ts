// What `assertObjectMatch` of `@std/assert` compares: of an object, that part
// for which another has something to compare it with.

/** The part of a value, plain objects all the way, that a pattern speaks of. */
export function matchingPart(value: unknown, pattern: unknown): unknown {
  if (!isStructure(value) || !isStructure(pattern)) return value;
  if (Array.isArray(value) && Array.isArray(pattern)) {
    return value.slice(0, pattern.length)
      .map((element, index) => matchingPart(element, pattern[index]));
  }
  if (value instanceof Map && pattern instanceof Map) {
    return new Map(
      [...value].filter(([key]) => pattern.has(key))
        .map((
          [key, element],
        ) => [key, matchingPart(element, pattern.get(key))]),
    );
  }
  if (value instanceof Set && pattern instanceof Set) {
    return new Set([...value].filter((element) => pattern.has(element)));
  }
  const keys = Reflect.ownKeys(value)
    .filter((key) => Object.hasOwn(pattern, key));
  return Object.fromEntries(
    keys.map((
      key,
    ) => [
      key,
      matchingPart(Reflect.get(value, key), Reflect.get(pattern, key)),
    ]),
  );
}

function isStructure(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    !(value instanceof RegExp) && !(value instanceof Date);
}
