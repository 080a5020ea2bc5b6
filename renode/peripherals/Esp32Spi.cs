using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.SPI
{
    // SPI2 (TRM chapter 7) as a master driven by the CPU: MOSI and MISO phases through W0 to W15, full and half duplex, chip
    // selects 0 to 2 by PIN, TRANS_DONE. Not modelled: command, address and dummy phases, DMA, slave mode, dual and quad lines,
    // LSB first, the way to the pins. A transfer takes no time.
    public class Esp32Spi : EspressifSpi, IDoubleWordPeripheral, IKnownSize
    {
        public Esp32Spi(IMachine machine) : base(machine, Data)
        {
            registers
                .With(Command, refused: ~Usr).With(0x04).With(0x08, 0x0020A400, 3u << 25 | 3u << 23 | 1u << 20 | 1u << 14)
                .With(0x0C, 0x5FFF0000).With(0x14, 0x11).With(0x18, 0x80003043)
                .With(User, 0x80000040, 1u << 29 | 1u << 30 | 3u << 24 | 0xFu << 12 | 3u << 10)
                .With(0x20, 0x5C000007).With(0x24, 0x70000000).With(OutLength).With(InLength).With(Pin, 0x6, 1u << 29)
                .With(Slave, 0x20, 1u << 30 | 1u << 31).WithMany(Data, 16);
        }

        public override void Reset()
        {
            registers.Reset();
            Release();
            IRQ.Unset();
        }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            registers[offset] = value;
            if(offset == Command && (value & Usr) != 0)
            {
                registers[Command] = 0;
                Transfer();
            }
            IRQ.Set((registers[Slave] & DoneEnable) != 0 && (registers[Slave] & Done) != 0);
        }

        private void Transfer()
        {
            Select(registers[Pin], 3);
            var user = registers[User];
            if((user & (1u << 31 | 1u << 30 | 1u << 29)) != 0)
            {
                this.Log(LogLevel.Warning, "Command, address and dummy phases are not modelled (USER 0x{0:X})", user);
            }
            var sends = (user & 1u << 27) != 0;
            var receives = (user & 1u << 28) != 0;
            var fullDuplex = (user & 1) != 0 && sends && receives;
            var sent = Bytes((registers[OutLength] & 0xFFFFFF) + 1);
            var received = Bytes((registers[InLength] & 0xFFFFFF) + 1);
            for(var i = 0; sends && i < sent; i++)
            {
                var answer = Exchange(GetByte(i));
                if(fullDuplex && i < received) { SetByte(i, answer); }
            }
            for(var i = 0; !fullDuplex && receives && i < received; i++) { SetByte(i, Exchange(0)); }
            if((registers[Pin] & 1u << 30) == 0) { Release(); }
            registers[Slave] |= Done;
        }

        private const long Command = 0, User = 0x1C, OutLength = 0x28, InLength = 0x2C, Pin = 0x34, Slave = 0x38, Data = 0x80;
        private const uint Usr = 1u << 18, Done = 1u << 4, DoneEnable = 1u << 9;
    }
}
