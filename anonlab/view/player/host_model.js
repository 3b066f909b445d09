// What stands for a widget's model where there is no kernel: it keeps its state, and tells who listens.
function hostModel(state) {
  const heard = {};
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      for (const listener of [...(heard[`change:${name}`] || [])]) listener();
    },
    save_changes() {},
    send() {},
    on(name, listener) { (heard[name] ||= []).push(listener); },
    off(name, listener) { heard[name] = (heard[name] || []).filter((one) => one !== listener); },
  };
}
