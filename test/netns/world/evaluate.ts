/** A program: has a Node process with an inspector run JavaScript, without waiting for what comes of it. Arguments: the inspector's URL, the code. */
const [url, expression] = process.argv.slice(2);
const socket = new WebSocket(url!);
socket.addEventListener('open', () => {
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
  // The code may keep its process from answering: what counts is that it has been taken.
  setTimeout(() => process.exit(0), 300);
});
socket.addEventListener('error', () => process.exit(1));
