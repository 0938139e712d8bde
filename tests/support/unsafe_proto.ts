// Gives this realm what `deno --unsafe-proto` leaves in it. npm memcached needs
// it: import this first.

Object.defineProperty(Object.prototype, "__proto__", {
  configurable: true,
  get() {
    return Object.getPrototypeOf(this);
  },
  set(prototype: object | null) {
    Object.setPrototypeOf(this, prototype);
  },
});
