// Shows how far an analysis is: one that this page's form sends, or the one
// that this page is about. Pages work without it.
"use strict";

(() => {
  const area = document.getElementById("progress");
  if (!area || !window.EventSource || !window.fetch || !window.crypto) return;
  const find = (name) => document.getElementById(`progress-${name}`);
  const [bar, phaseText, text, live, problemText] = ["bar", "phase", "text", "live", "problem"].map(find);

  const PHASES = {
    waiting: "Waiting for its turn",
    receiving: "Receiving",
    diagnosing: "Diagnosing",
    storing: "Storing the report",
    done: "Done",
    failed: "Failed",
  };
  // How long the reason of a lost connection may take to come by itself.
  const REASON_TIME_MS = 1000;
  // How long a page waits where it cannot follow.
  const RELOAD_TIME_MS = 5000;

  const pageOf = (id) => `/analyses/${id}`;
  const eventsOf = (id) => `/api/v1/analyses/${id}/events`;
  const group = (number) => number.toLocaleString("en");

  function size(bytes) {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let step = 0;
    let value = bytes;
    while (value >= 1024 && step < units.length - 1) {
      value /= 1024;
      step += 1;
    }
    return `${step === 0 ? value : value.toFixed(1)} ${units[step]}`;
  }

  // Screen readers hear of each phase and of each tenth, not of each event.
  let lastSaid = "";
  function say(words) {
    if (words === lastSaid) return;
    lastSaid = words;
    live.textContent = words;
  }

  function show(progress) {
    const phase = PHASES[progress.phase] ?? progress.phase;
    const { bytes_received: received, bytes_expected: expected } = progress;
    phaseText.textContent = phase;
    const packets = `packets: ${group(progress.packets)}`;
    if (progress.phase === "receiving" && expected) {
      const percent = Math.min(100, Math.floor((received / expected) * 100));
      bar.max = expected;
      bar.value = received;
      text.textContent = `${size(received)} of ${size(expected)} (${percent} %), ${packets}`;
      say(`${phase}, ${Math.floor(percent / 10) * 10} percent`);
    } else {
      // Without a value the bar moves and claims nothing.
      bar.removeAttribute("value");
      text.textContent = `${size(received)}, ${packets}`;
      say(phase);
    }
  }

  function showProblem(problem) {
    problemText.textContent = [problem.title, problem.detail, problem.hint].filter(Boolean).join(". ");
    problemText.hidden = false;
  }

  // Follows an analysis; `ended` is called once, with the last event's name,
  // which is `refused` where the service lets nobody follow.
  function follow(id, ended) {
    const source = new EventSource(eventsOf(id));
    source.addEventListener("progress", (event) => show(JSON.parse(event.data)));
    for (const name of ["done", "failed", "unknown"]) {
      source.addEventListener(name, (event) => {
        source.close();
        ended(name, JSON.parse(event.data));
      });
    }
    source.addEventListener("error", () => {
      // Otherwise the browser tries again by itself.
      if (source.readyState === EventSource.CLOSED) ended("refused");
    });
    return source;
  }

  // The analysis that this page is about: its page knows the end.
  if (area.dataset.analysis) {
    follow(area.dataset.analysis, (name) => {
      if (name === "refused") setTimeout(() => location.reload(), RELOAD_TIME_MS);
      else location.reload();
    });
    return;
  }

  const form = document.getElementById("upload");
  if (!form) return;
  const button = form.querySelector("button[type=submit]");
  const cancel = find("cancel");
  const captures = form.querySelector("input[type=file][name=capture]");

  // A UUID of version 7 (RFC 9562, section 5.7).
  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    let time = Date.now();
    for (let index = 5; index >= 0; index -= 1) {
      bytes[index] = time % 256;
      time = Math.floor(time / 256);
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  function reset() {
    button.disabled = false;
    area.hidden = true;
    bar.hidden = false;
    cancel.hidden = true;
    problemText.hidden = true;
    lastSaid = "";
  }

  // Says what is wrong where the form is, which keeps what was chosen.
  function tell(problem) {
    reset();
    area.hidden = false;
    bar.hidden = true;
    phaseText.textContent = PHASES.failed;
    text.textContent = "";
    showProblem(problem);
    area.scrollIntoView({ block: "nearest" });
  }

  function hasCapture(fields) {
    // Where nothing was chosen, browsers send a file without name and content.
    const isFile = (file) => file.name !== "" || file.size > 0;
    return fields.getAll("capture").some(isFile) || (fields.get("text") ?? "").trim() !== "";
  }

  // Asks before an upload is left. Chrome before 119 heeds the value only.
  const hold = (event) => {
    event.preventDefault();
    event.returnValue = true;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const fields = new FormData(form);
    if (!hasCapture(fields)) {
      tell({ title: "Nothing to analyse", hint: "Choose a capture file, or paste what tcpdump printed." });
      return;
    }
    const id = newId();
    const sending = new AbortController();
    let isOver = false;
    // `then` is called once, however it ends.
    const end = (then) => {
      if (isOver) return;
      isOver = true;
      source.close();
      window.removeEventListener("beforeunload", hold);
      cancel.onclick = null;
      then();
    };
    const go = () => end(() => location.assign(pageOf(id)));
    const giveUp = (problem) =>
      end(() => {
        sending.abort();
        tell(problem);
      });
    reset();
    window.addEventListener("beforeunload", hold);
    cancel.onclick = () =>
      end(() => {
        sending.abort();
        reset();
      });
    cancel.hidden = false;
    button.disabled = true;
    area.hidden = false;
    phaseText.textContent = "Sending";
    bar.removeAttribute("value");
    text.textContent = "";
    area.scrollIntoView({ block: "nearest" });
    let source;
    const listen = () => {
      source = follow(id, (name, last) => {
        if (name === "done") go();
        if (name === "failed") giveUp(last.problem);
        // A proxy may keep the upload back until it has all of it.
        if (name === "unknown" && !isOver) listen();
      });
    };
    listen();
    // The report's own page shows it: the answer need not list devices.
    const target = `/api/v1/analyses?id=${id}&device_limit=0`;
    fetch(target, { method: "POST", body: fields, signal: sending.signal }).then(
      async (response) => {
        if (response.ok) return go();
        giveUp(await response.json().catch(() => ({ title: `HTTP status ${response.status}` })));
      },
      () => {
        // A service that refuses may close before it has read all; the event says why.
        const detail = "The connection ended before there was an answer. Send it again";
        setTimeout(() => giveUp({ title: "Not sent", detail }), REASON_TIME_MS);
      },
    );
  });

  // A file that is dropped anywhere is meant for the form: a browser would open it
  // instead, and lose what was filled in.
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event) || event.target.type === "file") return;
    event.preventDefault();
    if (button.disabled) {
      showProblem({ title: "Not added", detail: "An upload runs. Drop the files again when it has ended" });
      return;
    }
    // Those that were chosen before stay.
    const all = new DataTransfer();
    for (const file of [...captures.files, ...event.dataTransfer.files]) all.items.add(file);
    captures.files = all.files;
  });

  // A page that comes back from the browser's memory starts anew.
  window.addEventListener("pageshow", (event) => event.persisted && reset());
})();
