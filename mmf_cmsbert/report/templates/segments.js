"use strict";
// The table of segments. Texts of segments are untrusted: they become text nodes, never markup.
(function () {
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const NAMES = { visual: "face", acoustic: "voice" };
  const PAGE = 50;
  const SVG = "http://www.w3.org/2000/svg";

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function drawn(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function number(value, digits, sign) {
    if (value === null || value === undefined) return "\u2013";
    const text = Math.abs(value).toFixed(digits);
    const zero = Number(text) === 0;
    return (value < 0 && !zero ? "\u2212" : sign && !zero ? "+" : "") + text;
  }

  function nearest(value) {
    // Half to even, as in Acc-7.
    const clipped = Math.min(3, Math.max(-3, value));
    const low = Math.floor(clipped);
    if (clipped - low !== 0.5) return Math.round(clipped);
    return low % 2 === 0 ? low : low + 1;
  }

  class Table {
    constructor(root) {
      this.root = root;
      const given = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      this.runs = given.runs;
      this.rows = given.rows.map((row, position) => ({
        position: row.n === undefined ? position : row.n,
        id: row.i,
        words: row.w,
        text: row.w.join(" "),
        label: row.t,
        // Of classes and labels: scores are shares of wrong answers.
        answer: row.a,
        truth: row.g,
        scores: row.p,
        errors: row.p.map((score) => (row.t === null ? null : score - row.t)),
        modalities: row.m,
        shift: row.s || [],
        shifts: row.x || {},
        heat: row.h || {},
        found: (row.i + " " + row.w.join(" ")).toLowerCase(),
      }));
      for (const row of this.rows) {
        const sizes = row.shift.filter((each) => each !== null);
        row.mean = sizes.length ? sizes.reduce((a, b) => a + b, 0) / sizes.length : null;
        row.largest = row.errors[0] === null ? null : Math.max(...row.errors.map(Math.abs));
        row.apart = Math.max(...row.scores) - Math.min(...row.scores);
      }
      // Not Math.max(...all): a call takes some 100,000 arguments at most.
      this.largest = this.rows.reduce((most, row) => Math.max(most, ...row.shift.map((s) => s || 0)), 1e-9);
      this.page = 0;
      this.sort = { key: this.runs > 1 ? "apart" : "largest", down: true };
      this.opened = new Set();
      this.body = root.querySelector("tbody");
      this.fill();
      for (const control of root.querySelectorAll("[data-filter]")) {
        control.addEventListener("input", () => { this.page = 0; this.show(); });
      }
      for (const button of root.querySelectorAll("th button")) {
        button.addEventListener("click", () => this.sorted(button.dataset.sort));
      }
      root.querySelector("[data-page='back']").addEventListener("click", () => this.turn(-1));
      root.querySelector("[data-page='next']").addEventListener("click", () => this.turn(1));
      this.show();
    }

    fill() {
      const select = this.root.querySelector("[data-filter='modality']");
      const kinds = new Map();
      for (const row of this.rows) {
        const key = row.modalities.join(",");
        kinds.set(key, (kinds.get(key) || 0) + 1);
      }
      for (const [key, count] of [...kinds].sort()) {
        const names = key ? key.split(",").map((each) => NAMES[each] || each) : [];
        const text = ["text", ...names].join(" + ") + " (" + count + ")";
        select.append(element("option", { value: "=" + key }, text));
      }
    }

    control(name) {
      const found = this.root.querySelector("[data-filter='" + name + "']");
      return found ? found.value : "";
    }

    selected() {
      const text = this.control("text").trim().toLowerCase();
      const truth = this.control("true"), predicted = this.control("predicted");
      const modality = this.control("modality");
      return this.rows.filter((row) =>
        (!text || row.found.includes(text)) &&
        (!truth || (row.label !== null && String(nearest(row.label)) === truth)) &&
        (!predicted || String(nearest(row.scores[0])) === predicted) &&
        (!modality || "=" + row.modalities.join(",") === modality));
    }

    value(row) {
      const [key, run] = this.sort.key.split(" ");
      const values = {
        id: row.id, text: row.text.toLowerCase(), true: row.answer === undefined ? row.label : row.truth, largest: row.largest,
        words: row.words.length, modalities: row.modalities.join(" "), shift: row.mean,
        apart: row.apart,
      };
      if (key === "predicted") return row.answer === undefined ? row.scores[Number(run)] : row.answer;
      if (key === "error") return row.errors[0] === null ? null : Math.abs(row.errors[Number(run)]);
      return values[key];
    }

    sorted(key) {
      this.sort = { key, down: this.sort.key === key ? !this.sort.down : !/^(id|text)$/.test(key) };
      this.page = 0;
      this.show();
    }

    turn(by) {
      this.page += by;
      this.show();
    }

    show() {
      const rows = this.selected().map((row) => [this.value(row), row]);
      const way = this.sort.down ? -1 : 1;
      rows.sort(([a, one], [b, other]) => {
        if (a === b) return one.position - other.position;
        if (a === null || a === undefined) return 1;
        if (b === null || b === undefined) return -1;
        return a < b ? -way : way;
      });
      const pages = Math.max(1, Math.ceil(rows.length / PAGE));
      this.page = Math.min(Math.max(0, this.page), pages - 1);
      const first = this.page * PAGE;
      this.body.replaceChildren();
      for (const [, row] of rows.slice(first, first + PAGE)) {
        this.body.append(this.line(row));
        if (this.opened.has(row.position)) this.body.append(this.detail(row));
      }
      for (const head of this.root.querySelectorAll("th[data-key]")) {
        if (head.dataset.key === this.sort.key) {
          head.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
        } else head.removeAttribute("aria-sort");
      }
      const last = Math.min(rows.length, first + PAGE);
      this.root.querySelector("[data-count]").textContent =
        (rows.length ? first + 1 : 0) + "\u2013" + last + " of " + rows.length +
        (rows.length === this.rows.length ? " segments" : " matching (" + this.rows.length + " in all)");
      this.root.querySelector("[data-page='back']").disabled = this.page === 0;
      this.root.querySelector("[data-page='next']").disabled = this.page === pages - 1;
    }

    line(row) {
      const opened = this.opened.has(row.position);
      const button = element("button", { class: "open", type: "button", "aria-expanded": String(opened) }, row.id);
      button.addEventListener("click", () => this.toggle(row, button));
      const text = row.text.length > 110 ? row.text.slice(0, 109) + "\u2026" : row.text;
      const line = element("tr", { class: "row", "data-position": row.position },
        element("td", {}, button), row.answer === undefined
          ? element("td", { class: "n" }, number(row.label, 2, true))
          : element("td", {}, row.truth === null ? "\u2013" : row.truth || "none"));
      for (let run = 0; run < row.scores.length; run++) {
        line.append(row.answer === undefined
          ? element("td", { class: "n" }, number(row.scores[run], 2, true))
          : element("td", {}, row.answer || "none"));
        line.append(element("td", { class: "n" }, number(row.errors[run], 2, true)));
      }
      if (this.runs > 1) {
        line.append(element("td", { class: "n" }, number(row.apart, 2)), element("td", { class: "words" }, text));
        return line;
      }
      line.append(element("td", { class: "words" }, text), element("td", { class: "n" }, String(row.words.length)),
        element("td", {}, row.modalities.map((each) => NAMES[each] || each).join(", ") || "text only"),
        element("td", { class: "n" }, number(row.mean, 3)));
      return line;
    }

    toggle(row, button) {
      const line = button.closest("tr");
      if (this.opened.delete(row.position)) {
        line.nextElementSibling.remove();
        button.setAttribute("aria-expanded", "false");
      } else {
        this.opened.add(row.position);
        line.after(this.detail(row));
        button.setAttribute("aria-expanded", "true");
      }
    }

    reveal(position) {
      const row = this.rows.find((each) => each.position === position);
      if (!row) return false;
      this.root.querySelectorAll("[data-filter]").forEach((each) => { each.value = ""; });
      this.opened.add(position);
      const ordered = this.selected().map((each) => [this.value(each), each]);
      this.page = 0;
      this.show();
      const pages = Math.ceil(ordered.length / PAGE);
      for (let page = 0; page < pages; page++) {
        const line = this.body.querySelector("tr[data-position='" + position + "']");
        if (line) {
          line.scrollIntoView({ block: "center" });
          line.querySelector("button").focus({ preventScroll: true });
          return true;
        }
        this.turn(1);
      }
      return false;
    }

    detail(row) {
      const columns = this.root.querySelectorAll("thead th").length;
      const box = element("div", { class: "opened" });
      const spoken = element("p", { class: "spoken" });
      row.words.forEach((word, i) => {
        const size = row.shift[i];
        const known = size !== null && size !== undefined;
        const span = element("span", {}, word);
        if (known) {
          span.style.background = "rgba(var(--shift), " + (0.85 * Math.min(1, size / this.largest)).toFixed(3) + ")";
          span.title = word + ": shifted by " + number(size, 3) + " of its length" +
            Object.entries(row.shifts).map(([name, each]) => "; " + (NAMES[name] || name) + " " + number(each[i], 3)).join("");
        } else if (row.shift.length) {
          span.className = "cut";
          span.title = word + ": cut off, or unknown to the tokenizer";
        }
        spoken.append(span, " ");
      });
      box.append(spoken);
      const text = row.shift.length
        ? "Words are coloured by how far the frames shifted them: none is no shift, full is " + number(this.largest, 3) +
          " of a word's length, the largest in this split. Point at a word for numbers."
        : this.runs > 1 ? "Each run\u2019s own report shows how it shifted these words."
        : "The words of this segment were not shifted.";
      box.append(element("p", { class: "key" }, text));
      const maps = element("div", { class: "heats" });
      for (const [name, heat] of Object.entries(row.heat)) maps.append(this.heat(row, name, heat));
      if (maps.children.length) box.append(maps);
      else if (row.modalities.length && row.shift.length) {
        box.append(element("p", { class: "key" }, "The file holds no heat map of this segment, to stay small."));
      }
      return element("tr", { class: "detail" }, element("td", { colspan: columns }, box));
    }

    heat(row, name, heat) {
      const cut = heat.rows.map((each, i) => [each, i]).filter(([each]) => each);
      const columns = cut.length ? cut[0][0].length : 0;
      // As wide as there is room, so that its texts stay legible on a telephone.
      const left = 96, width = Math.min(560, Math.max(260, window.innerWidth - 92)), line = 17, top = 4;
      const cell = (width - left) / Math.max(1, columns);
      const bottom = top + line * cut.length;
      const svg = drawn("svg", {
        class: "heat " + name, viewBox: "0 0 " + width + " " + (bottom + 34), role: "img",
        "aria-label": "Attention of each word over the frames of the " + (NAMES[name] || name),
      });
      const seconds = heat.start !== null && heat.start !== undefined;
      const place = (share) => seconds
        ? number(heat.start + share * (heat.end - heat.start), 2) + " s"
        : "frame " + Math.min(heat.frames, Math.floor(share * heat.frames) + 1);
      cut.forEach(([digits, i], r) => {
        const word = row.words[i];
        const label = drawn("text", { x: left - 6, y: top + line * r + 12, "text-anchor": "end" },
          word.length > 14 ? word.slice(0, 13) + "\u2026" : word);
        svg.append(label);
        [...digits].forEach((digit, c) => {
          const share = DIGITS.indexOf(digit) / 63;
          const rect = { x: left + cell * c, y: top + line * r, width: Math.max(0.5, cell - 0.6), height: line - 1 };
          svg.append(drawn("rect", { class: "empty", ...rect }));
          const filled = drawn("rect", { class: "cell", ...rect, opacity: share.toFixed(3) });
          const from = place(c / columns), to = seconds ? " to " + place((c + 1) / columns) : "";
          filled.append(drawn("title", {}, word + ", " + from + to + ": " + number(share * heat.largest, 3)));
          svg.append(filled);
        });
      });
      const marks = Math.min(columns, width < 400 ? 3 : 5);
      for (let k = 0; k <= marks; k++) {
        const share = k / marks;
        if (!seconds && k === marks) break;
        svg.append(drawn("text", {
          x: left + (width - left) * share + (seconds ? 0 : cell / 2), y: bottom + 14,
          "text-anchor": k === 0 && seconds ? "start" : k === marks ? "end" : "middle",
        }, seconds ? place(share) : String(Math.min(heat.frames, Math.floor(share * heat.frames) + 1))));
      }
      svg.append(drawn("text", { x: (left + width) / 2, y: bottom + 30, "text-anchor": "middle" },
        seconds ? "seconds into the video" : "frame (the data has no times)"));
      const title = element("h4", {}, "Frames of the " + (NAMES[name] || name) + " that each word reads");
      const note = element("p", { class: "key" }, "Strongest colour: " + number(heat.largest, 3) +
        " of what a word reads" + (heat.frames > columns ? "; " + heat.frames + " frames in " + columns + " columns" : "") + ".");
      return element("div", {}, title, svg, note);
    }
  }

  const tables = new Map();
  for (const root of document.querySelectorAll("[data-table]")) tables.set(root.dataset.table, new Table(root));
  document.addEventListener("click", (event) => {
    const dot = event.target.closest("circle[data-segment]");
    if (!dot) return;
    const table = tables.get(dot.closest("[data-part]").dataset.part);
    if (table) table.reveal(Number(dot.dataset.segment));
  });
})();
