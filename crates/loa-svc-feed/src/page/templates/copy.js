const said = document.getElementById("said");
for (const from of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  const what = from.querySelector(".unseen");
  button.type = "button";
  const name = what ? "Sao chép" : "Sao chép địa chỉ";
  button.textContent = name;
  if (what) {
    button.append(what.cloneNode(true));
    button.lastChild.prepend(" địa chỉ");
  } else from.addEventListener("focus", () => from.select());
  button.addEventListener("click", async () => {
    const field = what ? document.createElement("input") : from;
    if (what) {
      field.value = from.href;
      button.after(field);
    }
    field.select();
    let done = true;
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      done = document.execCommand("copy");
    }
    if (what) field.remove();
    button.focus();
    button.firstChild.data = done ? "Đã chép" : name;
    said.textContent = "";
    setTimeout(() => {
      said.textContent = done ? "Đã sao chép địa chỉ." : "Không sao chép được. Xin chọn địa chỉ rồi sao chép bằng tay.";
    }, 100);
    setTimeout(() => { button.firstChild.data = name; }, 4000);
  });
  from.after(button);
}
