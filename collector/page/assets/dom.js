// Elements, made and changed. Whatever a node said reaches the page as text or as an attribute's value alone.

const SVG = "http://www.w3.org/2000/svg";

function built(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children);
  return element;
}

// An element of HTML: el("p", {class: "note"}, "text", otherElement).
export function el(tag, attributes = {}, ...children) {
  return built(document.createElement(tag), attributes, children);
}

// An element of SVG.
export function svg(tag, attributes = {}, ...children) {
  return built(document.createElementNS(SVG, tag), attributes, children);
}

// Writes only what differs: a cell that is told the same again costs no layout.
export function setText(element, text) {
  if (element.firstChild?.nodeValue !== text || element.childNodes.length > 1) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

// Brings the children of an element into an order with as few moves as are needed when little has changed.
export function arrange(parent, children) {
  for (const _ of arranging(parent, children));
}

const MOVE = 0.25; // milliseconds of layout that a move costs once the frame is over

// The same in steps, a move in each, whose cost is told.
export function* arranging(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let place = null; // what stands in its place already, with all before it
  for (const child of children) {
    let next = place ? place.nextSibling : parent.firstChild;
    if (next && next.nextSibling === child) {
      move(parent, next, null); // this one has fallen back: it goes, and not all others before it
      next = child;
    }
    place = child;
    if (child === next) continue;
    move(parent, child, next);
    yield MOVE;
  }
}

// An element that is moved loses the focus: it is given back.
function move(parent, child, before) {
  const focused = document.activeElement;
  parent.insertBefore(child, before);
  if (focused !== document.activeElement && child.contains(focused)) focused.focus({ preventScroll: true });
}
