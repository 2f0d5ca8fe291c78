"use strict";

const bearer = '-H "Authorization: Bearer $FILMGATE_KEY"';
const show = (id, text) => (document.getElementById(id).textContent = text);

show("upload", `curl ${bearer} \\\n  -F file=@photo.jpg ${location.origin}/v1/files`);
show(
  "submit",
  `curl ${bearer} -H "Content-Type: application/json" \\\n` +
    `  -d '{"prompt": "Slow push-in", "img_url": "<the url from above>"}' \\\n` +
    `  ${location.origin}/v1/models/wan-ai/wan-2-6/flash/image-to-video`,
);
show(
  "read",
  ["status", "result"].map((word) => `curl ${bearer} \\\n  ${location.origin}/v1/requests/<request_id>/${word}`).join("\n"),
);
