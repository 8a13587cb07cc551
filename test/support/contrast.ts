/** Run within a page, as text: the project's programs know of no document. What has less contrast than WCAG's level AA asks for. */
const MEASURE = `
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parse = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return { r, g, b, a }; };
  const light = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const back = parse(getComputedStyle(at).backgroundColor);
      if (back.a === 1) return back;
      if (back.a !== 0) throw new Error("half transparent: " + at.outerHTML.slice(0, 80));
    }
    return { r: 255, g: 255, b: 255 };
  };
  const ratioOf = (colour, element) => {
    const [one, other] = [light(parse(colour)), light(behind(element))].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  };`;

/** Texts: 4.5, large ones 3. */
export const FAINT = `(() => {${MEASURE}
  const faint = [];
  let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || element.tagName.toLowerCase() === "title" || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ratio = ratioOf(element instanceof SVGElement ? style.fill : style.color, element);
    looked += 1;
    if (ratio < least) faint.push(ratio.toFixed(2) + ": " + node.data.trim().slice(0, 60));
  }
  return { looked, faint };
})()`;

/** What is drawn: bars, dots and lines, 3; but for the grid. */
export const PALE = `(() => {${MEASURE}
  const pale = new Set();
  let looked = 0;
  for (const element of document.querySelectorAll("svg rect, svg circle, svg path[stroke], svg [aria-label=line] path")) {
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const colour = style.fill === "none" ? style.stroke : style.fill;
    looked += 1;
    if (ratioOf(colour, element) < 3) pale.add(ratioOf(colour, element).toFixed(2) + ": " + colour);
  }
  return { looked, faint: [...pale] };
})()`;
