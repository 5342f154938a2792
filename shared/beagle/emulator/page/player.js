// Plays through the frames of a video, one picture each, at the times that its frames manifest tells.
"use strict";

const PACE_WITHOUT_TIMES = 0.2;
const AHEAD = 8;
const KEPT = 24;

function timeText(seconds) {
  const hundredths = Math.round(seconds * 100);
  const rest = ((hundredths % 6000) / 100).toFixed(2).padStart(5, "0");
  return `${Math.floor(hundredths / 6000)}:${rest}`;
}

class Player {
  // `place` is the address below which frames and times are found, `frames` how many there are.
  constructor(place, frames) {
    this.place = place;
    this.frames = frames;
    this.number = 0;
    this.times = null;
    this.run = null;
    this.pictures = new Map();
    this.stage = element("div", { class: "stage" });
    this.button = element("button", { class: "play", type: "button", onclick: () => this.toggle() });
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: frames - 1,
      value: 0,
      "aria-label": "Frame",
      oninput: () => this.go(Number(this.slider.value)),
    });
    this.told = element("output", { class: "told" });
    this.node = element(
      "div",
      { class: "player" },
      this.stage,
      element("div", { class: "controls" }, this.button, this.slider, this.told),
    );
    this.draw();
    this.show(0);
    this.learnTimes();
  }

  async learnTimes() {
    const answer = await fetch(`${this.place}/times`);
    if (answer.status !== 200) return;
    this.times = (await answer.json()).times;
    this.draw();
  }

  // One picture element a frame: those around the current one are kept, so that stepping never flickers.
  picture(number) {
    if (!this.pictures.has(number)) {
      const image = element("img", { alt: `Frame ${number + 1}`, decoding: "async", src: `${this.place}/frames/${number}` });
      this.pictures.set(number, image);
      for (const known of this.pictures.keys()) {
        if (Math.abs(known - this.number) > KEPT) this.pictures.delete(known);
      }
    }
    return this.pictures.get(number);
  }

  async show(number) {
    this.number = Math.min(Math.max(number, 0), this.frames - 1);
    this.draw();
    const wanted = this.number;
    let shown = this.picture(wanted);
    for (let next = wanted + 1; next < Math.min(wanted + AHEAD, this.frames); next += 1) this.picture(next);
    try {
      await shown.decode();
    } catch {
      shown = element("p", {}, `Frame ${number + 1} cannot be shown.`);
    }
    if (this.number === wanted) this.stage.replaceChildren(shown);
  }

  draw() {
    const label = this.run ? "Pause" : "Play";
    if (this.button.getAttribute("aria-label") !== label) {
      const icon = shape("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
      icon.append(shape("use", { href: this.run ? "#pause" : "#play" }));
      this.button.setAttribute("aria-label", label);
      this.button.replaceChildren(icon);
    }
    const time = this.times?.[this.number];
    this.slider.value = String(this.number);
    this.slider.setAttribute("aria-valuetext", `Frame ${this.number + 1} of ${this.frames}`);
    this.told.textContent = [`${this.number + 1} / ${this.frames}`, time !== undefined && timeText(time)]
      .filter(Boolean)
      .join("   ");
  }

  go(number) {
    this.stop();
    return this.show(number);
  }

  step(frames) {
    return this.go(this.number + frames);
  }

  toggle() {
    if (this.run) this.stop();
    else this.play();
  }

  stop() {
    this.run = null;
    this.draw();
  }

  // Every frame is shown, also where they come slower than they were filmed.
  async play() {
    const mine = (this.run = {});
    if (this.number === this.frames - 1) await this.show(0);
    let due = performance.now();
    while (this.run === mine && this.number < this.frames - 1) {
      due = Math.max(due + 1000 * this.pause(), performance.now());
      await new Promise((resume) => setTimeout(resume, due - performance.now()));
      if (this.run === mine) await this.show(this.number + 1);
    }
    if (this.run === mine) this.stop();
    else this.draw();
  }

  pause() {
    const length = this.times ? this.times[this.number + 1] - this.times[this.number] : PACE_WITHOUT_TIMES;
    return length > 0 ? length : 0;
  }
}
