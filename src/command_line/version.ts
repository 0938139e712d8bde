// The version of this package, as deno.json has it; tests compare the two.

/** The version of this package. */
export const VERSION = "0.1.0";
