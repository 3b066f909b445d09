class Text(str):
    def then(self, line):
        return Text(f"{self}{line}\n")
def history():
    return (Text("# a family\n").then("shell = spawn").then("shell mmap 0x2f000 4   # one page below")
            .then("shell write 0x30000 255 3").then("child = fork shell").then("child write 0x31000 0x10"))
