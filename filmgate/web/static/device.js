"use strict";

const form = document.getElementById("form");
const code = document.getElementById("code");
const key = document.getElementById("key");
const status = document.getElementById("status");

code.value = new URLSearchParams(location.search).get("code") ?? "";
(code.value ? key : code).focus();

function tell(sentence, kind) {
  status.textContent = sentence;
  status.className = kind;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const approve = event.submitter?.value !== "false";
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  tell("Sending your answer…", "");
  try {
    const reply = await fetch("/api/cli-auth/decide", {
      method: "POST",
      headers: { Authorization: `Bearer ${key.value.trim()}`, "Content-Type": "application/json" },
      body: JSON.stringify({ user_code: code.value.trim(), approve }),
    });
    const answer = await reply.json();
    if (!reply.ok) {
      tell(answer.message, "bad");
    } else {
      tell(approve ? "Done. Go back to your terminal; you can close this page." : "Refused. The device gets no key.", "good");
      form.querySelectorAll("label, .actions").forEach((part) => (part.hidden = true));
    }
  } catch {
    tell("The server did not answer. Try again.", "bad");
  }
  buttons.forEach((button) => (button.disabled = false));
});
