// When two values count as equal in `@std/assert`. `node:assert` differs in what
// it says of `0` and `-0`, of objects without a prototype, and of getters.

/** Compares two values, and all that is in them. */
export function equal(a: unknown, b: unknown): boolean {
  return new Comparison().equal(a, b);
}

class Comparison {
  /** What is being compared with what, for objects that contain themselves. */
  readonly #seen = new Map<object, object>();

  equal(a: unknown, b: unknown): boolean {
    if (a === b || Object.is(a, b)) return true;
    if (!isObject(a) || !isObject(b)) return false;
    if (a instanceof Date && b instanceof Date) {
      return Object.is(a.getTime(), b.getTime());
    }
    if (prototypeOf(a) !== prototypeOf(b)) return false;
    if (isBytes(a) && isBytes(b)) return equalBytes(a, b);
    if (a instanceof WeakMap || a instanceof WeakSet) {
      throw new TypeError(`Cannot compare ${a.constructor.name} instances`);
    }
    if (a instanceof WeakRef && b instanceof WeakRef) {
      return this.equal(a.deref(), b.deref());
    }
    if (this.#seen.get(a) === b) return true;
    if (Object.keys(a).length !== Object.keys(b).length) return false;
    this.#seen.set(a, b);
    if (isCollection(a) && isCollection(b)) return this.#collections(a, b);
    if (isTextual(a)) return String(a) === String(b);
    return this.#properties(a, b);
  }

  /** Sets and maps: the same entries in any order, keys compared deeply too. */
  #collections(a: Collection, b: Collection): boolean {
    if (a.size !== b.size) return false;
    const rest = [...b.entries()];
    return [...a.entries()].every(([key, value]) => {
      const index = rest.findIndex(([otherKey, otherValue]) =>
        this.equal(key, otherKey) && this.equal(value, otherValue)
      );
      if (index === -1) return false;
      rest.splice(index, 1);
      return true;
    });
  }

  #properties(a: object, b: object): boolean {
    return [...new Set([...propertiesOf(a), ...propertiesOf(b)])].every((key) =>
      key in a && key in b &&
      this.equal(Reflect.get(a, key), Reflect.get(b, key))
    );
  }
}

type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;
type Collection = Map<unknown, unknown> | Set<unknown>;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isBytes(value: object): value is Bytes {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer ||
    (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isCollection(value: object): value is Collection {
  return value instanceof Map || value instanceof Set;
}

/** Whether an object's text says all that there is to compare. */
function isTextual(value: object): boolean {
  return value instanceof RegExp || value instanceof URL ||
    value instanceof URLSearchParams || value instanceof Intl.Locale;
}

function equalBytes(a: Bytes, b: Bytes): boolean {
  const [left, right] = [elementsOf(a), elementsOf(b)];
  return left.length === right.length &&
    left.every((element, index) =>
      element === right[index] || Object.is(element, right[index])
    );
}

function elementsOf(value: Bytes): unknown[] {
  return Array.from(
    ArrayBuffer.isView(value)
      ? value as unknown as ArrayLike<unknown>
      : new Uint8Array(value),
  );
}

/** An object without a prototype counts as a plain one. */
function prototypeOf(value: object): object {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

/**
 * The enumerable properties of a plain object or an array; those of an instance
 * with what is not enumerable and what it inherits, such as getters.
 */
function propertiesOf(value: object): PropertyKey[] {
  const isPlain = [Object.prototype, Array.prototype].includes(
    prototypeOf(value) as never,
  );
  if (isPlain) return Reflect.ownKeys({ ...value });
  const keys: PropertyKey[] = [];
  for (
    let object: object | null = value;
    object !== null && object !== Object.prototype;
    object = Object.getPrototypeOf(object)
  ) {
    keys.push(...Reflect.ownKeys(object));
  }
  return keys;
}
