"use strict";
(() => {
const all = (root, what) => [...root.querySelectorAll(what)];
const one = (root, what) => root.querySelector(what);
const make = (name, more = {}, ...inside) => {
  const made = Object.assign(document.createElement(name), more);
  made.append(...inside);
  return made;
};
const shape = (name, more, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in more) made.setAttribute(key, more[key]);
  if (text !== undefined) made.textContent = text;
  return made;
};
const number = text => text === "Inf" ? Infinity : text === "-Inf" ? -Infinity : parseFloat(text);
const short = value => Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(1).replace("e+", "e") : String(+value.toPrecision(4));
const cut = text => text.length > 28 ? text.slice(0, 27) + "…" : text;
const option = (text, value) => make("option", {value, textContent: text});

// One box of words for whatever is pointed at or focused.
const tip = document.getElementById("tip");
const tell = (target, words) => {
  const show = () => {
    const box = target.getBoundingClientRect();
    tip.textContent = words;
    tip.hidden = false;
    tip.style.left = Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = (box.top > tip.offsetHeight + 12 ? box.top - tip.offsetHeight - 8 : box.bottom + 8) + "px";
  };
  const hide = () => { tip.hidden = true; };
  for (const event of ["pointerenter", "focus"]) target.addEventListener(event, show);
  for (const event of ["pointerleave", "blur"]) target.addEventListener(event, hide);
};
addEventListener("keydown", event => { if (event.key === "Escape") tip.hidden = true; });

// Charts: series of points [x, y, words], as lines or dots, on axes that may be logarithmic.
const ticks = (low, high, log, most) => {
  const found = [];
  if (log) {
    const wide = Math.log10(high / low) > 2.5;
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
      for (const part of wide ? [1] : [1, 2, 5]) found.push(part * 10 ** power);
  } else {
    const raw = (high - low) / most, size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map(part => part * size).find(part => part >= raw);
    for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) found.push(+value.toPrecision(12));
  }
  return found.filter(value => value >= low * (1 - 1e-9) - (log ? 0 : 1e-12) && value <= high * (1 + 1e-9) + 1e-12);
};
const range = (values, log) => {
  let low = Math.min(...values), high = Math.max(...values);
  if (log) return low === high ? [low / 2, high * 2] : [low / (high / low) ** .06, high * (high / low) ** .06];
  const room = (high - low || Math.abs(high) || 1) * .06;
  return [low - room, high + room];
};
const draw = (where, {series, x, y, label}) => {
  const width = Math.max(280, where.clientWidth || 600), height = Math.round(Math.min(420, Math.max(260, width * .55)));
  const svg = shape("svg", {viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label});
  const points = series.flatMap(each => each.points).filter(([a, b]) => isFinite(a) && isFinite(b) && (!x.log || a > 0) && (!y.log || b > 0));
  where.replaceChildren(svg);
  if (!points.length) {
    where.replaceChildren(make("p", {className: "hint", textContent: "Nothing to draw here."}));
    return;
  }
  const place = {left: 52, right: 14, top: 10, bottom: 44};
  const [x0, x1] = x.tight ? [Math.min(...points.map(p => p[0])), Math.max(...points.map(p => p[0])) || 1] : range(points.map(p => p[0]), x.log);
  const [y0, y1] = range(points.map(p => p[1]), y.log);
  const on = (value, low, high, log) => log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low || 1);
  const across = value => place.left + on(value, x0, x1, x.log) * (width - place.left - place.right);
  const down = value => height - place.bottom - on(value, y0, y1, y.log) * (height - place.top - place.bottom);
  for (const value of ticks(x0, x1, x.log, width / 90)) {
    svg.append(shape("line", {class: "grid", x1: across(value), x2: across(value), y1: place.top, y2: height - place.bottom}));
    svg.append(shape("text", {x: across(value), y: height - place.bottom + 16, "text-anchor": "middle"}, (x.format || short)(value)));
  }
  for (const value of ticks(y0, y1, y.log, height / 60)) {
    svg.append(shape("line", {class: "grid", x1: place.left, x2: width - place.right, y1: down(value), y2: down(value)}));
    svg.append(shape("text", {x: place.left - 6, y: down(value) + 4, "text-anchor": "end"}, short(value)));
  }
  svg.append(shape("text", {x: (place.left + width - place.right) / 2, y: height - 8, "text-anchor": "middle"}, x.label));
  svg.append(shape("text", {transform: `translate(12 ${(height - place.bottom) / 2}) rotate(-90)`, "text-anchor": "middle"}, y.label));
  const dots = [];
  for (const each of series) {
    const seen = each.points.filter(([a, b]) => isFinite(a) && isFinite(b) && (!x.log || a > 0) && (!y.log || b > 0));
    if (each.line && seen.length) {
      const path = shape("path", {class: each.color, d: "M" + seen.map(([a, b]) => `${across(a).toFixed(1)} ${down(b).toFixed(1)}`).join("L"),
        ...(each.dashed ? {"stroke-dasharray": "5 4"} : {}), ...(each.faint ? {opacity: .45, "stroke-width": 1.2} : {})});
      path.append(shape("title", {}, each.name));
      svg.append(path);
    } else for (const [a, b, name, words] of seen) dots.push({x: across(a), y: down(b), name, words, each});
  }
  // Names stand beside their dots, where they hide no other; the rest is told by pointing.
  const taken = dots.map(dot => [dot.x - 6, dot.y - 6, dot.x + 6, dot.y + 6]);
  for (const dot of dots) {
    const text = shape("text", {class: "name"}, cut(dot.name));
    svg.append(text);
    const long = text.getComputedTextLength() + 3;
    let free = false;
    for (const [dx, dy] of [[9, 4], [-9 - long, 4], [9, -7], [9, 15], [-9 - long, -7], [-9 - long, 15], [-long / 2, -11], [-long / 2, 20]]) {
      const box = [dot.x + dx, dot.y + dy - 10, dot.x + dx + long, dot.y + dy + 3];
      if (box[0] < place.left || box[2] > width || box[1] < 0 || box[3] > height - place.bottom) continue;
      if (taken.some(other => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
      taken.push(box);
      text.setAttribute("x", box[0]);
      text.setAttribute("y", dot.y + dy);
      free = true;
      break;
    }
    if (!free) text.remove();
  }
  for (const dot of dots) {
    const circle = shape("circle", {class: `dot ${dot.each.color} ${dot.each.hollow ? "hollow" : ""}`, cx: dot.x, cy: dot.y, r: 5.5,
      tabindex: 0, role: "img", "aria-label": dot.words.replaceAll("\n", ", ")});
    tell(circle, dot.words);
    svg.append(circle);
  }
};
const legend = (where, series) => where.replaceChildren(...series.filter(each => !each.faint).map(each =>
  make("span", {}, make("i", {className: `${each.color} ${each.line ? "" : "round"} ${each.hollow ? "hollow" : ""} ${each.dashed ? "dashed" : ""}`}), each.name)));

const trade = (section, board, seen) => {
  const kinds = {parameters: ["Parameters", "parameters", value => short(value / 1e6) + " M"],
    flops: ["FLOPs of one image", "floating-point operations of one image", value => short(value / 1e9) + " G"],
    latency: ["Latency", "latency of one image", value => value < 1000 ? short(value) + " ms" : short(value / 1000) + " s"]};
  const choice = one(section, "[data-axis]");
  const there = Object.keys(kinds).filter(key => board.rows.some(row => row[key] && row.psnr));
  if (!there.length) { section.remove(); return () => {}; }
  const count = key => board.rows.filter(row => row[key] && row.psnr).length;
  choice.replaceChildren(...there.map(key => option(kinds[key][0], key)));
  choice.value = there.reduce((best, key) => count(key) > count(best) ? key : best);
  const families = [...new Set(board.rows.map(row => row.family))].sort();
  const paint = () => {
    const key = choice.value, [, title, unit] = kinds[key];
    const rows = board.rows.filter(row => row[key] > 0 && row.psnr && seen(row));
    const series = families.map((family, place) => ({name: family, color: "c" + place % 8, points: rows.filter(row => row.family === family)
      .map(row => [row[key], number(row.psnr), row.title, `${row.title}\n${row.psnr} dB, ${unit(row[key])}`])})).filter(each => each.points.length);
    const wanted = (one(document.getElementById(board.id), "[data-published]") || {checked: true}).checked;
    const printed = wanted && key === "parameters" ? board.printed.filter(row => row.parameters && row.psnr) : [];
    if (printed.length) series.push({name: "as papers printed them", color: "cn", hollow: true, points: printed
      .map(row => [row.parameters, number(row.psnr), row.title, `${row.title}, as printed\n${row.psnr} dB, ${unit(row.parameters)}`])});
    draw(one(section, ".plot"), {series, x: {label: title, log: true, format: unit}, y: {label: "PSNR (dB)"}, label: `PSNR against ${title}, one dot a method`});
    legend(one(section, ".legend"), series);
    const without = board.rows.filter(row => row.psnr && !row[key] && seen(row)).length;
    one(section, ".remark").textContent = without ? `${without} rows without ${kinds[key][0].toLowerCase()} are not drawn.` : "";
  };
  choice.addEventListener("change", paint);
  return paint;
};

const curves = (section, board) => {
  const choice = one(section, "[data-axis]");
  if (!board.curves.some(each => each.psnr.some(value => value !== null))) choice.value = "loss";
  const paint = () => {
    const kind = choice.value, series = [];
    const drawn = board.curves.filter(each => each[kind].some(value => value !== null));
    drawn.forEach((each, place) => {
      const color = "c" + board.curves.indexOf(each) % 8;
      series.push({name: each.title, color, line: true, points: each.steps.map((step, at) => [step, each[kind][at] === null ? NaN : each[kind][at]])});
      if (kind === "psnr" && each.bicubic !== null) series.push({name: `bicubic, patches of ${each.title}`, color, line: true, dashed: true,
        points: [[each.steps[0], each.bicubic], [each.steps.at(-1), each.bicubic]]});
    });
    draw(one(section, ".plot"), {series, x: {label: "optimiser steps", tight: true}, y: {label: kind === "psnr" ? "PSNR (dB)" : "loss", log: kind === "loss"},
      label: `Course of trainings: ${choice.selectedOptions[0].textContent}`});
    legend(one(section, ".legend"), series);
    one(section, ".remark").textContent = "Each network by its own patches and loss: curves of different networks do not rank them.";
  };
  choice.addEventListener("change", paint);
  return paint;
};

const heat = (section, board) => {
  const choice = one(section, "[data-heat]");
  choice.addEventListener("change", () => {
    const [title, better] = board.indexes[choice.value];
    one(section, ".what").textContent = title;
    const texts = board.rows.filter(row => row.scenes).map(row => row.scenes[choice.value]);
    const cells = all(section, "tbody tr").map(line => all(line, "td"));
    board.scenes.forEach((_, column) => {
      const values = texts.map(line => number(line[column])), finite = values.filter(isFinite);
      const low = Math.min(...finite), high = Math.max(...finite);
      texts.forEach((line, row) => {
        const near = high > low ? (better === "higher" ? values[row] - low : high - values[row]) / (high - low) : 1;
        cells[row][column].textContent = line[column] || "-";
        const value = values[row], endless = Math.abs(value) === Infinity;
        cells[row][column].style.setProperty("--near", endless ? +((value > 0) === (better === "higher")) : isNaN(value) ? 0 : near);
      });
    });
  });
};

const gallery = (section, board) => {
  const album = board.pictures, pick = name => one(section, `[data-pick=${name}]`);
  const tiles = one(section, ".tiles"), slider = one(section, ".slider"), rangeInput = one(section, ".compare input");
  const [under, over] = [one(slider, ".under"), one(slider, ".over")];
  const spectra = one(section, "[data-chart=spectra]");
  let lens = null, pixel = 0;
  pick("scene").replaceChildren(...album.scenes.map((scene, place) => option(scene.name, place)));
  const scene = () => album.scenes[+pick("scene").value];
  const kind = () => pick("kind").value;
  const source = member => kind() === "error" ? member.error || member.rgb : member.rgb;
  const value = member => (row => row && row.scenes ? row.scenes.psnr[board.scenes.indexOf(scene().name)] : "")(board.rows.find(row => row.title === member.title));
  const words = member => `${kind() === "error" && member.error ? "Error map" : "Colours"} of ${scene().name}, ${member.title}`;
  const pixels = () => scene().pixels;

  const moveLens = () => {
    for (const tile of all(tiles, ".tile")) {
      const old = one(tile, ".lens");
      if (old) old.remove();
      if (!lens) continue;
      const box = make("div", {className: "lens"}, make("div")), zoom = +pick("zoom").value, [x, y] = lens;
      box.style.left = Math.max(0, Math.min(50, x * 100 - 25)) + "%";
      box.style.top = y < .5 ? "auto" : "2px";
      box.style.bottom = y < .5 ? "2px" : "auto";
      const inner = box.firstChild, high = tile.clientHeight, wide = tile.clientWidth, side = wide / 2;
      inner.style.backgroundImage = `url("${one(tile, "img").src}")`;
      inner.style.backgroundSize = `${wide * zoom}px ${high * zoom}px`;
      inner.style.backgroundPosition = `${side / 2 - x * wide * zoom}px ${side / 2 - y * high * zoom}px`;
      tile.append(box);
    }
  };
  const paintSpectra = () => {
    const [row, column] = pixels()[pixel] || [];
    if (row === undefined) { spectra.hidden = true; return; }
    spectra.hidden = false;
    const pair = [pick("left").value, pick("right").value];
    const series = scene().members.map((member, place) => {
      const found = member.spectra.find(each => each[0] === row && each[1] === column);
      if (!found) return null;
      const reference = member.reference, chosen = pair.includes(String(place));
      return {name: member.title, line: true, faint: !reference && !chosen, color: reference ? "ci" : chosen ? "c" + pair.indexOf(String(place)) : "cn", dashed: reference,
        points: found[2].map((each, band) => [album.wavelengths ? album.wavelengths[band] : band + 1, each])};
    }).filter(Boolean).sort((one, other) => other.faint - one.faint);
    draw(one(spectra, ".plot"), {series, x: {label: album.wavelengths ? "wavelength (nm)" : "band", tight: true}, y: {label: "value"},
      label: `Spectra of row ${row}, column ${column} of ${scene().name}`});
    legend(one(spectra, ".legend"), series);
    const [height, width] = scene().size;
    for (const old of all(section, ".pixel")) old.remove();
    for (const where of [slider, ...all(tiles, ".tile")]) pixels().forEach(([r, c], place) => {
      const mark = make("span", {className: "pixel" + (place === pixel ? " chosen" : "")});
      mark.style.left = (c + .5) / width * 100 + "%";
      mark.style.top = (r + .5) / height * 100 + "%";
      where.append(mark);
    });
  };
  const paintPair = () => {
    const [left, right] = ["left", "right"].map(side => scene().members[+pick(side).value]);
    slider.classList.toggle("error", kind() === "error" && !!(left.error || right.error));
    [[over, left], [under, right]].forEach(([image, member]) => {
      image.src = source(member);
      image.alt = words(member);
      image.style.filter = kind() === "error" && !member.error ? "none" : "";
    });
    over.style.clipPath = `inset(0 ${100 - rangeInput.value}% 0 0)`;
    one(slider, ".edge").style.left = rangeInput.value + "%";
  };
  const paintTiles = () => {
    tiles.replaceChildren(...scene().members.map(member => {
      const image = make("img", {src: source(member), alt: words(member)}), told = value(member);
      const tile = make("div", {className: "tile" + (kind() === "error" && member.error ? " error" : "")}, image);
      const label = make("figcaption", {}, make("bdi", {textContent: member.title}));
      if (told) label.append(make("small", {textContent: told + " dB"}));
      return make("figure", {}, tile, label);
    }));
  };
  const paintAll = () => { one(section, ".scale").hidden = pick("gain").parentNode.hidden = kind() !== "error"; paintTiles(); paintPair(); paintSpectra(); moveLens(); };
  const enter = () => {
    const members = scene().members;
    const before = ["left", "right"].map(side => (pick(side).selectedOptions[0] || {}).textContent);
    ["left", "right"].forEach((side, place) => {
      pick(side).replaceChildren(...members.map((member, at) => option(member.title, at)));
      const again = members.findIndex(member => member.title === before[place]);
      pick(side).value = again >= 0 ? again : Math.min(place, members.length - 1);
    });
    pixel = 0;
    pick("pixel").replaceChildren(...pixels().map(([row, column, why], at) => option(`${why ? why + ": " : ""}row ${row}, column ${column}`, at)));
    paintAll();
  };
  const nearest = ([x, y]) => {
    const [height, width] = scene().size;
    const far = pixels().map(([row, column]) => Math.hypot((column + .5) / width - x, ((row + .5) / height - y) * height / width));
    if (!far.length) return;
    pixel = far.indexOf(Math.min(...far));
    pick("pixel").value = pixel;
    paintSpectra();
  };
  const at = event => {
    const tile = event.target.closest(".tile, .slider");
    if (!tile) return null;
    const box = tile.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top].map((each, way) => Math.max(0, Math.min(1, each / (way ? box.height : box.width))));
  };
  tiles.addEventListener("pointermove", event => { const place = at(event); if (place) { lens = place; moveLens(); } });
  tiles.addEventListener("pointerleave", () => { lens = null; moveLens(); });
  for (const where of [tiles, slider]) where.addEventListener("click", event => { const place = at(event); if (place) nearest(place); });
  tiles.addEventListener("keydown", event => {
    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (step) {
      lens = (lens || [.5, .5]).map((each, way) => Math.max(0, Math.min(1, each + step[way] * (event.shiftKey ? .1 : .02))));
      moveLens();
    } else if (event.key === "Enter" && lens) nearest(lens);
    else if (event.key === "Escape") { lens = null; moveLens(); }
    else return;
    event.preventDefault();
  });
  tiles.addEventListener("blur", () => { lens = null; moveLens(); });
  rangeInput.addEventListener("input", paintPair);
  slider.addEventListener("pointermove", event => {
    if (event.pointerType === "mouse" && !event.buttons) return;
    rangeInput.value = at(event)[0] * 100;
    paintPair();
  });
  pick("scene").addEventListener("change", enter);
  pick("kind").addEventListener("change", paintAll);
  pick("zoom").addEventListener("change", moveLens);
  pick("gain").addEventListener("change", () => {
    section.style.setProperty("--gain", pick("gain").value);
    one(section, ".most").textContent = pick("gain").selectedOptions[0].textContent;
  });
  for (const side of ["left", "right"]) pick(side).addEventListener("change", () => { paintPair(); paintSpectra(); });
  pick("pixel").addEventListener("change", () => { pixel = +pick("pixel").value; paintSpectra(); });
  enter();
  return paintSpectra;
};

const table = (section, changed) => {
  const ranking = one(section, ".ranking"), body = one(ranking, ".measured");
  if (!body) return () => true;
  const filters = all(section, "[data-filter]"), count = one(section, ".count"), lines = all(body, "tr");
  const key = (line, column) => (cell => cell && cell.dataset.key)(column === "method" ? one(line, "th") : one(line, `[data-column="${column}"]`));
  for (const head of all(ranking, "thead th")) one(head, "button").addEventListener("click", () => {
    const column = head.dataset.column, first = "descends" in head.dataset ? "descending" : "ascending";
    const order = !head.hasAttribute("aria-sort") ? first : head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of all(ranking, "thead th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1, numeric = head.classList.contains("number");
    const compare = (one, other) => {
      const [a, b] = [key(one, column), key(other, column)];
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      return sign * (numeric ? a - b : a.localeCompare(b));
    };
    body.append(...lines.sort(compare));
  });
  const hidden = new Set();
  const filter = () => {
    hidden.clear();
    for (const line of lines) {
      line.hidden = filters.some(each => each.value && !each.value.split(each.dataset.filter === "told" ? " " : "\0").includes(line.dataset[each.dataset.filter]));
      if (line.hidden) hidden.add(line.dataset.row);
    }
    count.textContent = hidden.size ? `${lines.length - hidden.size} of ${lines.length} rows` : `${lines.length} rows`;
    changed();
  };
  for (const each of filters) each.addEventListener("change", filter);
  for (const box of all(section, "[data-toggle]")) box.addEventListener("change", () => {
    for (const cell of all(ranking, `[data-column="${box.dataset.toggle}"]`)) cell.hidden = !box.checked;
  });
  const printed = one(section, "[data-published]");
  if (printed) printed.addEventListener("change", () => { one(ranking, ".printed").hidden = !printed.checked; changed(); });
  count.textContent = `${lines.length} rows`;
  return row => !hidden.has(row.id);
};

const painters = [];
for (const board of JSON.parse(document.getElementById("data").textContent).boards) {
  const section = document.getElementById(board.id), own = [];
  const seen = table(section, () => own.forEach(paint => paint()));
  const parts = {trade: [trade, seen], curves: [curves]};
  for (const name in parts) {
    const where = one(section, `[data-chart=${name}]`);
    if (where) own.push(parts[name][0](where, board, ...parts[name].slice(1)));
  }
  own.forEach(paint => paint());
  painters.push(...own);
  const map = one(section, ".heat");
  if (map) heat(map, board);
  if (board.pictures) painters.push(gallery(one(section, ".pictures"), board));
}
let width = innerWidth, waiting;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(() => painters.forEach(paint => paint()), 150);
});
const open = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); one(target, "summary").focus({preventScroll: true}); }
};
addEventListener("hashchange", open);
document.addEventListener("click", event => {
  const link = event.target.closest("a[href^='#']");
  if (link && link.hash === location.hash) open();
  for (const choice of all(document, ".choice[open]")) if (!choice.contains(event.target)) choice.open = false;
});
document.addEventListener("keydown", event => {
  const choice = event.key === "Escape" && document.activeElement.closest(".choice[open]");
  if (choice) { choice.open = false; one(choice, "summary").focus(); }
});
open();
})();
