// What offends the eye in a page as it is laid out now: a list of sentences, empty where all is well.
() => {
  const SMALLEST = 10; // pixels of a letter's height, as the screen shows it
  const found = new Set();
  const short = (text) => JSON.stringify(text.trim().replace(/\s+/g, " ").slice(0, 40));
  const name = (part) => part.tagName.toLowerCase() + (part.id ? `#${part.id}` : "") + (part.classList.length ? `.${[...part.classList].join(".")}` : "");
  const chain = (part) => (part ? [part, ...chain(part.parentElement)] : []);

  // What lies far below is laid out only when it is scrolled to: now is the time.
  for (const part of document.querySelectorAll("section")) part.style.contentVisibility = "visible";

  // Colours, as [red, green, blue, alpha] of 0 to 1.
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const colour = (text) => {
    if (!known.has(text)) known.set(text, painted(text));
    return known.get(text);
  };
  const painted = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((one) => one / 255);
  };
  const over = (top, under) => [0, 1, 2].map((place) => top[place] * top[3] + under[place] * (1 - top[3])).concat(1);
  const light = (rgb) => rgb.slice(0, 3)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const paper = new Map([[null, [1, 1, 1, 1]]]);
  const behind = (part) => {
    if (!paper.has(part)) paper.set(part, over(colour(getComputedStyle(part).backgroundColor), behind(part.parentElement)));
    return paper.get(part);
  };
  const contrast = (part) => {
    const style = getComputedStyle(part);
    const back = behind(part);
    const front = over(colour(part.closest("svg") ? style.fill : style.color), back);
    const [dark, bright] = [light(front), light(back)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  // Every line of text that can be seen: where its letters are, and what cuts them.
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const part = node.parentElement;
    if (!node.data.trim() || part.closest("script, style, title, desc, noscript, option, .unseen")) continue;
    if (chain(part).some((one) => getComputedStyle(one).clipPath === "inset(50%)")) continue; // for screen readers alone
    if (!part.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const drawn = part.closest("svg");
    const matrix = drawn && part.getScreenCTM ? part.getScreenCTM() : { a: 1, b: 0 };
    const scale = Math.hypot(matrix.a, matrix.b); // the same for text that is turned
    const size = parseFloat(getComputedStyle(part).fontSize) * scale;
    if (size < SMALLEST) found.add(`tiny text: ${size.toFixed(1)} px in ${name(drawn || part)}: ${short(node.data)}`);
    const clear = contrast(part);
    if (clear < 4.5 && !part.closest(":disabled")) {
      found.add(`faint text: contrast ${clear.toFixed(2)} in ${name(part)}: ${short(node.data)}`);
    }
    for (const box of drawn ? [part.getBoundingClientRect()] : range.getClientRects()) {
      const room = 0.18 * box.height; // above and below the letters
      const line = { node, part, drawn, left: box.left, right: box.right, top: box.top + room, bottom: box.bottom - room };
      for (const holder of chain(drawn || part)) {
        const style = getComputedStyle(holder);
        const clips = holder === drawn || style.overflowX !== "visible";
        if (!clips || holder === document.documentElement || holder === document.body) continue;
        const edge = holder.getBoundingClientRect();
        if (line.left < edge.left - 1 || line.right > edge.right + 1) found.add(`cut text in ${name(holder)}: ${short(node.data)}`);
        if (holder === drawn && (line.top < edge.top - 1 || line.bottom > edge.bottom + 1)) found.add(`cut text in ${name(holder)}: ${short(node.data)}`);
        line.top = Math.max(line.top, edge.top);
        line.bottom = Math.min(line.bottom, edge.bottom);
      }
      if (line.left < -1 || line.right > document.documentElement.clientWidth + 1) found.add(`text out of the window: ${short(node.data)}`);
      if (line.bottom > line.top + 1 && line.right > line.left) lines.push(line);
    }
  }

  // Text on text, and the line of the origin through text.
  lines.sort((one, other) => one.top - other.top);
  lines.forEach((one, place) => {
    for (let next = place + 1; next < lines.length && lines[next].top < one.bottom - 1; next += 1) {
      const other = lines[next];
      const apart = Math.max(one.left, other.left) > Math.min(one.right, other.right) - 1;
      if (!apart && one.node !== other.node) found.add(`text on text: ${short(one.node.data)} and ${short(other.node.data)}`);
    }
  });
  for (const path of document.querySelectorAll("path.origin")) {
    if (!path.checkVisibility()) continue;
    const at = path.getBoundingClientRect();
    const scale = path.getScreenCTM();
    const spans = path.getAttribute("d").match(/M[^M]+/g).map((span) => span.match(/-?[\d.]+/g).map(Number));
    for (const span of spans) {
      const [top, bottom] = [span[1], span[span.length - 1]].map((y) => y * scale.d + scale.f);
      for (const line of lines.filter((one) => one.drawn === path.closest("svg"))) {
        if (line.left < at.left - 0.5 && line.right > at.left + 0.5 && line.top < bottom && line.bottom > top) {
          found.add(`a line through text: ${short(line.node.data)}`);
        }
      }
    }
  }

  // What scrolls sideways.
  for (const part of document.querySelectorAll("*")) {
    if (part === document.documentElement || part.closest("svg") || part.matches("input, select, .unseen")) continue;
    const clips = getComputedStyle(part).overflowX !== "visible" && getComputedStyle(part).clipPath === "none";
    if (clips && part.scrollWidth > part.clientWidth + 1 && part.checkVisibility()) {
      found.add(`scrolls sideways: ${part.scrollWidth} px in ${part.clientWidth}, ${name(part)} ${part.getAttribute("aria-label") || ""}`);
    }
  }
  // A short table of which some rows are out of sight.
  for (const part of document.querySelectorAll(".scroll")) {
    const rows = part.querySelectorAll("tbody tr").length;
    if (rows <= 12 && part.scrollHeight > part.clientHeight + 1 && part.checkVisibility()) {
      found.add(`cut: ${rows} rows, ${part.scrollHeight} px in ${part.clientHeight}`);
    }
  }
  const whole = document.documentElement;
  if (whole.scrollWidth > whole.clientWidth) found.add(`the page scrolls sideways: ${whole.scrollWidth} px in ${whole.clientWidth}`);
  return [...found];
}
