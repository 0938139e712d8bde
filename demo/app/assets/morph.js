// Makes one element like another and touches only what differs, so that focus,
// typed text and screen readers are left in peace.

/** Makes `from` like `to`. Children with an id are matched by it. */
export function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name)) from.removeAttribute(name);
  }
  morphChildren(from, to);
}

function morphChildren(from, to) {
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const match = find(from, place, wanted);
    if (match === null) {
      from.insertBefore(wanted, place);
      continue;
    }
    if (match !== place) from.insertBefore(match, place);
    morph(match, wanted);
    place = match.nextSibling;
  }
  while (place !== null) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function find(from, place, wanted) {
  if (wanted.id) {
    return [...from.children].find(({ id }) => id === wanted.id) ?? null;
  }
  const fits = place !== null && !place.id &&
    place.nodeName === wanted.nodeName;
  return fits ? place : null;
}
