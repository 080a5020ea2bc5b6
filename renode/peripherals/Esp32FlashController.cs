using System;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.SPI
{
    // SPI1 (TRM chapter 7) with a flash behind it (EspressifFlash). Modelled: user-defined transactions on one line with a command of
    // 8 bits and an address of 24, which stands in the upper bits of ADDR; up to 64 bytes of data. A transfer takes no time. Stored
    // only: clock and timing settings. Not modelled: the command bits of CMD, several lines, other address widths, the dummy phase.
    public class Esp32FlashController : IDoubleWordPeripheral, IKnownSize
    {
        public Esp32FlashController(IMachine machine)
        {
            flash = new EspressifFlash(machine, this);
            registers = new EspressifRegisters(this)
                .With(Command, refused: ~Usr).With(Address).With(0x08, 0x0020A400, 3u << 23 | 1u << 20 | 1u << 14)
                .With(0x14, 0x11).With(0x18, 0x80003043).With(User, 0x80000040, 1u << 29 | 3u << 24 | 0xFu << 12 | 3u << 10)
                .With(User1, 0x5C000007).With(User2, 0x70000000).With(OutLength).With(InLength).WithMany(Data, 16);
        }

        public void Reset() { registers.Reset(); }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            if(offset != Command) { registers[offset] = value; }
            else if((value & Usr) != 0) { Transaction(); }
        }

        public long Size { get { return 0x1000; } }

        private void Transaction()
        {
            var user = registers[User];
            if((user & 1u << 31) == 0 || registers[User2] >> 28 != 7)
            {
                this.Log(LogLevel.Warning, "A user transaction without a command of 8 bits is not modelled");
                return;
            }
            var hasAddress = (user & 1u << 30) != 0;
            if(hasAddress && (registers[User1] >> 26) + 1 != 24)
            {
                this.Log(LogLevel.Warning, "Only addresses of 24 bits are modelled");
                return;
            }
            var sent = new byte[(user & 1u << 27) != 0 ? Math.Min((registers[OutLength] & 0xFFFFFF) / 8 + 1, 64) : 0];
            for(var i = 0; i < sent.Length; i++) { sent[i] = (byte)(registers[Data + i / 4 * 4] >> 8 * (i % 4)); }
            var count = (user & 1u << 28) != 0 ? (registers[InLength] & 0xFFFFFF) / 8 + 1 : 0;
            var answer = flash.Transact((byte)registers[User2], hasAddress ? registers[Address] >> 8 : 0, sent, count);
            for(var i = 0; i < answer.Length; i++)
            {
                var offset = Data + i / 4 * 4;
                registers[offset] = registers[offset] & ~(0xFFu << 8 * (i % 4)) | (uint)answer[i] << 8 * (i % 4);
            }
        }

        private readonly EspressifFlash flash;
        private readonly EspressifRegisters registers;

        private const uint Usr = 1u << 18;
        private const long Command = 0x00, Address = 0x04, User = 0x1C, User1 = 0x20, User2 = 0x24, OutLength = 0x28, InLength = 0x2C;
        private const long Data = 0x80;
    }
}
