using Antmicro.Renode.Core;
using Antmicro.Renode.Core.Structure;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Esp32c3;

namespace Antmicro.Renode.Peripherals.SPI
{
    // GP-SPI2 (TRM chapter 27) as a master driven by the CPU: command, address, dummy and data phases through W0 to W15,
    // chip selects 0 to 5 by MISC, TRANS_DONE. Settings must be taken over by CMD.UPDATE and the clock be on, as on the
    // chip. Not modelled: DMA, slave mode, dual and quad lines, LSB first, segments, the way to the pins. A transfer takes
    // no time. A device registers under its chip select.
    public class Esp32c3Spi : SimpleContainer<ISPIPeripheral>, IDoubleWordPeripheral, IKnownSize
    {
        public Esp32c3Spi(IMachine machine) : base(machine)
        {
            IRQ = new GPIO();
            registers = new Esp32c3Registers(this)
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

        // Cut the wire that brings this device's answers; they read as 0xFF.
        public void Cut(int chipSelect) { cut |= 1u << chipSelect; }

        // Mend it again.
        public void Mend(int chipSelect) { cut &= ~(1u << chipSelect); }

        public GPIO IRQ { get; }
        public long Size { get { return 0x100; } }

        private void Start()
        {
            if(waits) { this.Log(LogLevel.Warning, "USR set before CMD.UPDATE took over the settings written"); }
            if((registers[ClockGate] & 3) != 3)
            {
                this.Log(LogLevel.Error, "USR set without a clock: the chip would never finish");
                registers[Command] |= Usr;
                return;
            }
            // Sensors take their samples when time passes, and it passes only here: the FIFO is as of this instruction.
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu)) { cpu.SyncTime(); }
            Select();
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

        private void Select()
        {
            for(var n = 0; n < 6; n++)
            {
                ISPIPeripheral device;
                if((registers[Misc] & 1u << n) == 0 && TryGetByAddress(n, out device))
                {
                    if(selected != null && selected != device)
                    {
                        this.Log(LogLevel.Warning, "Two devices selected at once: {0} and {1}", selectedNumber, n);
                    }
                    selected = device;
                    selectedNumber = n;
                }
            }
        }

        private void Release()
        {
            if(selected != null) { selected.FinishTransmission(); }
            selected = null;
        }

        private byte Exchange(byte value)
        {
            var answer = selected == null ? (byte)0xFF : selected.Transmit(value);
            return (cut >> selectedNumber & 1) != 0 ? (byte)0xFF : answer;
        }

        private int Bytes(uint bits)
        {
            if(bits % 8 != 0) { this.Log(LogLevel.Warning, "A phase of {0} bits; only whole bytes are modelled", bits); }
            return (int)((bits + 7) / 8);
        }

        private byte GetByte(int i) { return (byte)(registers[Data + i / 4 % 16 * 4] >> 8 * (i % 4)); }

        private void SetByte(int i, byte value)
        {
            var offset = Data + i / 4 % 16 * 4;
            registers[offset] = registers[offset] & ~(0xFFu << 8 * (i % 4)) | (uint)value << 8 * (i % 4);
        }

        private bool waits;
        private uint cut;
        private int selectedNumber;
        private ISPIPeripheral selected;
        private readonly Esp32c3Registers registers;

        private const long Command = 0, Address = 4, User = 0x10, User1 = 0x14, User2 = 0x18, Length = 0x1C, Misc = 0x20;
        private const long IntEnable = 0x34, IntClear = 0x38, IntRaw = 0x3C, IntStatus = 0x40, Data = 0x98, ClockGate = 0xE8;
        private const uint Usr = 1u << 24, TakeOver = 1u << 23, TransactionDone = 1u << 12;
    }
}
