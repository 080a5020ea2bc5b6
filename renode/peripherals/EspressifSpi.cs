using Antmicro.Renode.Core;
using Antmicro.Renode.Core.Structure;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.SPI;

namespace Antmicro.Renode.Peripherals.Espressif
{
    // What the general-purpose SPI masters of Espressif's chips share: chip selects, the wires, and W0 to W15. A device registers
    // under its chip select.
    public abstract class EspressifSpi : SimpleContainer<ISPIPeripheral>
    {
        protected EspressifSpi(IMachine machine, long data) : base(machine)
        {
            this.data = data;
            IRQ = new GPIO();
            registers = new EspressifRegisters(this);
        }

        // Cut the wire that brings this device's answers; they read as 0xFF.
        public void Cut(int chipSelect) { cut |= 1u << chipSelect; }

        // Mend it again.
        public void Mend(int chipSelect) { cut &= ~(1u << chipSelect); }

        public GPIO IRQ { get; }
        public long Size { get { return 0x100; } }

        // disabled: a bit for each chip select that stays off.
        protected void Select(uint disabled, int count)
        {
            // Sensors take their samples when time passes, and it passes only here: the FIFO is as of this instruction.
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu)) { cpu.SyncTime(); }
            for(var n = 0; n < count; n++)
            {
                ISPIPeripheral device;
                if((disabled & 1u << n) == 0 && TryGetByAddress(n, out device))
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

        protected void Release()
        {
            if(selected != null) { selected.FinishTransmission(); }
            selected = null;
        }

        protected byte Exchange(byte value)
        {
            var answer = selected == null ? (byte)0xFF : selected.Transmit(value);
            return (cut >> selectedNumber & 1) != 0 ? (byte)0xFF : answer;
        }

        protected int Bytes(uint bits)
        {
            if(bits % 8 != 0) { this.Log(LogLevel.Warning, "A phase of {0} bits; only whole bytes are modelled", bits); }
            return (int)((bits + 7) / 8);
        }

        protected byte GetByte(int i) { return (byte)(registers[data + i / 4 % 16 * 4] >> 8 * (i % 4)); }

        protected void SetByte(int i, byte value)
        {
            var offset = data + i / 4 % 16 * 4;
            registers[offset] = registers[offset] & ~(0xFFu << 8 * (i % 4)) | (uint)value << 8 * (i % 4);
        }

        private uint cut;
        private int selectedNumber;
        private ISPIPeripheral selected;
        private readonly long data;
        protected readonly EspressifRegisters registers;
    }
}
