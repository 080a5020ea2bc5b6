using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.SPI
{
    // GP-SPI2 (TRM chapter 27) as a master driven by the CPU: command, address, dummy and data phases through W0 to W15,
    // chip selects 0 to 5 by MISC, TRANS_DONE. Settings must be taken over by CMD.UPDATE and the clock be on, as on the
    // chip. Not modelled: DMA, slave mode, dual and quad lines, LSB first, segments, the way to the pins. A transfer takes
    // no time.
    public class Esp32c3Spi : EspressifSpi, IDoubleWordPeripheral, IKnownSize
    {
        public Esp32c3Spi(IMachine machine) : base(machine, Data)
        {
            registers
                .With(Command).With(Address).With(0x08, 0x003C0000, 1u << 25 | 1u << 26 | 3u << 5 | 3u << 8 | 3u << 14)
                .With(0x0C, 0x80003043).With(User, 0x800000C0, 1u << 3 | 3u << 12 | 1u << 15 | 1u << 17 | 1u << 24 | 1u << 25)
                .With(User1, 0xB8410007).With(User2, 0x78000000).With(Length).With(Misc, 0x3E, 1u << 6 | 0x3Fu << 7)
                .With(0x24).With(0x28).With(0x2C).With(0x30, refused: 1u << 18 | 1u << 27 | 1u << 28)
                .With(IntEnable, refused: ~TransactionDone).With(IntClear).With(IntRaw, readOnly: true).With(IntStatus, readOnly: true)
                .WithMany(Data, 16).With(0xE0, 0x02800000, 1u << 26 | 1u << 28).With(0xE4).With(ClockGate)
                .With(0xF0, 0x02007220, readOnly: true);
        }

        public override void Reset()
        {
            registers.Reset();
            waits = false;
            Release();
            IRQ.Unset();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            return offset == IntStatus ? registers[IntRaw] & registers[IntEnable] : registers[offset];
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            if(offset == IntClear) { registers[IntRaw] &= ~value; }
            else if(offset == Command)
            {
                registers[Command] = value & ~(Usr | TakeOver);
                waits &= (value & TakeOver) == 0;
                if((value & Usr) != 0) { Start(); }
            }
            else
            {
                waits |= offset < IntEnable && value != registers[offset];
                registers[offset] = value;
            }
            IRQ.Set((registers[IntRaw] & registers[IntEnable]) != 0);
        }

        private void Start()
        {
            if(waits) { this.Log(LogLevel.Warning, "USR set before CMD.UPDATE took over the settings written"); }
            if((registers[ClockGate] & 3) != 3)
            {
                this.Log(LogLevel.Error, "USR set without a clock: the chip would never finish");
                registers[Command] |= Usr;
                return;
            }
            Select(registers[Misc], 6);
            var user = registers[User];
            if((user & 1u << 31) != 0)
            {
                for(var i = 0; i < Bytes((registers[User2] >> 28) + 1); i++) { Exchange((byte)(registers[User2] >> 8 * i)); }
            }
            if((user & 1u << 30) != 0) // from the register's top bit on
            {
                for(var i = 0; i < Bytes((registers[User1] >> 27) + 1); i++) { Exchange((byte)(registers[Address] >> 24 - 8 * i)); }
            }
            if((user & 1u << 29) != 0)
            {
                for(var i = 0; i < Bytes((registers[User1] & 0xFF) + 1); i++) { Exchange(0); }
            }
            var length = Bytes((registers[Length] & 0x3FFFF) + 1);
            var sends = (user & 1u << 27) != 0;
            var fullDuplex = (user & 1) != 0 && sends;
            for(var i = 0; sends && i < length; i++)
            {
                var answer = Exchange(GetByte(i));
                if(fullDuplex) { SetByte(i, answer); }
            }
            for(var i = 0; !fullDuplex && (user & 1u << 28) != 0 && i < length; i++) { SetByte(i, Exchange(0)); }
            if((registers[Misc] & 1u << 30) == 0) { Release(); }
            registers[IntRaw] |= TransactionDone;
        }

        private bool waits;

        private const long Command = 0, Address = 4, User = 0x10, User1 = 0x14, User2 = 0x18, Length = 0x1C, Misc = 0x20;
        private const long IntEnable = 0x34, IntClear = 0x38, IntRaw = 0x3C, IntStatus = 0x40, Data = 0x98, ClockGate = 0xE8;
        private const uint Usr = 1u << 24, TakeOver = 1u << 23, TransactionDone = 1u << 12;
    }
}
