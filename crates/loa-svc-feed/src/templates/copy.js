for (const field of document.querySelectorAll("input[readonly]")) {
  const button = document.createElement("button");
  const said = document.createElement("span");
  button.type = "button";
  button.textContent = "Sao chép địa chỉ";
  said.setAttribute("role", "status");
  said.className = "soft";
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy");
    }
    said.textContent = "Đã sao chép.";
  });
  field.after(button, said);
}
